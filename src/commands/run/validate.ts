import type { Config } from '#src/config';
import type { PipelineStores, Recovery } from '#pipeline';
import type { Miner } from '#pipeline/miners/index';
import { startBarograph, type Barograph } from '#src/start';
import { describeAdoption, describeExit, spansAtEnd } from '../terminal/exit-report.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import { dedupeWarnings } from '../terminal/dedupe-warnings.ts';
import { readValidationReport, type ValidationReport } from './validation-report.ts';
import { watchProgress } from '../terminal/watch-progress.ts';

/** Who takes part, and how the miners are let go of. */
export interface MinersOfRun {
  readonly miners: readonly (Miner & { readonly profile?: string })[];
  readonly close: () => Promise<void>;
}

/** One validation run, from seed to the last lead. */
export interface ValidationOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly initTime: Date;
  readonly leads: readonly number[];
  readonly day1Lead: number;
  readonly stores: PipelineStores;
  readonly miners: MinersOfRun;
  /** Where miners are that live no longer than this process, as a pattern of SQL's `like`; null for real ones. */
  readonly minersAt: string | null;
  readonly delayFactor: number;
  readonly queuePollMillis?: number;
  readonly recovery?: Recovery;
  readonly minerTimeouts?: { readonly initiateFetch: number; readonly poll: number; readonly token: number };
  readonly output: Output;
  /** Ends the run before its time. */
  readonly signal: AbortSignal;
}

/**
 * Runs one validation to its end and gives what was recorded; the caller closes what it gets.
 *
 * @throws the reason of the signal when that aborts, with everything closed and recorded what had happened
 */
export async function validate(
  options: ValidationOptions,
): Promise<{ readonly report: ValidationReport; readonly barograph: Barograph }> {
  const { output, signal } = options;
  signal.throwIfAborted();
  const barograph = await startBarograph({
    ...options,
    onProblem: dedupeWarnings((message) => output.problem(message)),
    onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
  });
  try {
    const runId = await untilAborted(signal, runToItsEnd(options, barograph));
    await barograph.recording.flush();
    const report = await readValidationReport(options, barograph, runId);
    // What is served afterwards needs no worker, and others may want to work on this database.
    await barograph.pipeline.stop();
    return { report, barograph };
  } catch (error) {
    if (signal.aborted) await endBeforeTime(options, barograph);
    await closeInterrupted(options, barograph).catch(() => undefined);
    throw error;
  }
}

async function closeInterrupted({ output, signal }: ValidationOptions, barograph: Barograph): Promise<void> {
  const steps = await barograph.close();
  if (signal.aborted) output.ending(describeExit({ steps, spans: spansAtEnd(barograph.recording) }));
}

async function runToItsEnd(options: ValidationOptions, { pipeline }: Barograph): Promise<number> {
  await pipeline.acquireExclusive();
  if (options.minersAt !== null) {
    await pipeline.abandonRuns(
      options.minersAt,
      'The process that simulated the miners had ended before the run.',
    );
  }
  const runId = await pipeline.createRun({
    validatorHotkey: options.validatorHotkey,
    initTime: options.initTime,
    miners: options.miners.miners,
    leads: options.leads,
    day1Lead: options.day1Lead,
  });
  await pipeline.start();
  await watchProgress(pipeline, runId, options);
  return runId;
}

/** Simulated miners end with this process; a run with real ones goes on whenever it is started again. */
async function endBeforeTime(
  { minersAt, output, config }: ValidationOptions,
  { pipeline }: Barograph,
): Promise<void> {
  const hint = `within ${config.shutdownSeconds} s. Ctrl-C again ends at once.`;
  if (minersAt === null) {
    output.problem(`Ending; the same command takes the run up again. Steps under way end first, ${hint}`);
    return;
  }
  output.problem(`Ending; the run is given up, for its miners end too. Steps under way end first, ${hint}`);
  await pipeline.abandonRuns(minersAt, 'The user ended it before its time.').catch(() => undefined);
}
