import { startIntervalTask } from '#lifecycle/interval-task';
import type { Pipeline, RunProgress } from '#pipeline';
import type { Output } from './output.ts';

const INTERVAL_MILLIS = 1000;

const sum = (counts: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);

/** How many miners and scores of a run have come how far. */
export function describeOutcome({ miners, leads }: Pick<RunProgress, 'miners' | 'leads'>): string {
  const all = sum(miners, Object.keys(miners));
  const scores = sum(leads, Object.keys(leads));
  return (
    `miners: ${miners.completed} completed, ${miners.failed} failed, ` +
    `${all - miners.completed - miners.failed} under way · scores: ${leads.scored} of ${scores}, ` +
    `${leads.waiting_for_truth} wait for ERA5, ${leads.failed} failed`
  );
}

/** One line with the progress of a run. */
export const describeProgress = (progress: RunProgress): string =>
  `run ${progress.runId} ${progress.status.replaceAll('_', ' ')} · ${describeOutcome(progress)}`;

/** Tells how the run goes, once a second where that changed, until it is over or the signal aborts. */
export async function watchProgress(
  pipeline: Pick<Pipeline, 'progress' | 'finished'>,
  runId: number,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<void> {
  let last = '';
  const showProgress = async (): Promise<void> => {
    const line = describeProgress(await pipeline.progress(runId));
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
    // Not awaited: behind a closed fence a query under way never resolves.
    void stop();
  }
  await showProgress();
}
