import { startIntervalTask } from '#lifecycle/interval-task';
import type { Pipeline, RunProgress } from '#pipeline';
import type { Output } from './output.ts';

const INTERVAL_MILLIS = 1000;

const sum = (counts: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);

/** Counts the miners and scores of a run by state, as text. */
export function describeOutcome({
  miners,
  leads,
  waits,
}: Pick<RunProgress, 'miners' | 'leads' | 'waits'>): string {
  const all = sum(miners, Object.keys(miners));
  const scores = sum(leads, Object.keys(leads));
  return (
    `miners: ${miners.completed} completed, ${miners.failed} failed, ` +
    `${all - miners.completed - miners.failed} under way · scores: ${leads.scored} of ${scores}, ` +
    `${waits.gfs} wait for GFS, ${waits.era5} wait for ERA5, ${leads.failed} failed`
  );
}

/** Characters of a hotkey that are shown: the rest of the line is what changes. */
const SHOWN_HOTKEY = 8;
const shorten = (hotkey: string): string =>
  hotkey.length > SHOWN_HOTKEY ? `${hotkey.slice(0, SHOWN_HOTKEY - 1)}…` : hotkey;

/** The progress of a run of a validator in one line. */
export const describeProgress = (validatorHotkey: string, progress: RunProgress): string =>
  `run ${progress.runId} of ${shorten(validatorHotkey)} ${progress.status.replaceAll('_', ' ')} · ${describeOutcome(progress)}`;

/** Prints the progress of a run when it changed, once a second at most, until the run is over or the signal aborts. */
export async function watchProgress(
  pipeline: Pick<Pipeline, 'progress' | 'finished'>,
  { validatorHotkey, runId }: { readonly validatorHotkey: string; readonly runId: number },
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<void> {
  let last = '';
  const showProgress = async (): Promise<void> => {
    const line = describeProgress(validatorHotkey, await pipeline.progress(runId));
    if (line !== last && !signal.aborted) output.progress(line);
    last = line;
  };
  await showProgress();
  const stop = startIntervalTask({
    everyMillis: INTERVAL_MILLIS,
    previousRun: Promise.resolve(),
    work: showProgress,
  });
  try {
    await pipeline.finished(runId);
  } finally {
    // Not awaited: a query behind a closed fence never resolves.
    void stop();
  }
  await showProgress();
}
