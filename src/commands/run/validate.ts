import type { Config } from '#src/config';
import type { PipelineStores, Recovery, RunRequest } from '#pipeline';
import type { Miner, MinersTls, MinerTransport } from '#pipeline/miners/index';
import { startBarograph, type Barograph } from '#src/start';
import {
  describeAdoption,
  describeExit,
  spansAtEnd,
  RECORDING_OF_A_COMMAND,
} from '../terminal/exit-report.ts';
import { reportRetention } from '../terminal/retention-report.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import { dedupeWarnings } from '../terminal/dedupe-warnings.ts';
import { readValidationReport, type ValidationReport } from './validation-report.ts';
import { watchProgress } from '../terminal/watch-progress.ts';

/** The miners of a run, and the closer of simulated ones. */
export interface MinersOfRun {
  readonly miners: readonly (Miner & { readonly profile?: string })[];
  readonly close: () => Promise<void>;
}

/** How one validation run is done, from seed to the last lead. */
export interface ValidationOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly initTime: Date;
  readonly leads: readonly number[];
  readonly day1Lead: number;
  readonly stores: PipelineStores;
  /** Where the stores are, for who verifies the scores. */
  readonly storeLocations: NonNullable<RunRequest['storeLocations']>;
  readonly miners: MinersOfRun;
  /** URLs of simulated miners, which end with this process, as a pattern of SQL's `like`; null for real ones. */
  readonly minerUrlPattern: string | null;
  readonly delayFactor: number;
  readonly queuePollMillis?: number;
  readonly recovery?: Recovery;
  readonly minerTransport?: MinerTransport;
  readonly minerTimeouts?: { readonly initiateFetch: number; readonly poll: number; readonly token: number };
  readonly minersTls?: MinersTls;
  readonly output: Output;
  /** Interrupts the run. */
  readonly signal: AbortSignal;
}

/**
 * Runs one validation to completion. @returns what was recorded, and the running validator, which the caller closes
 *
 * @throws the reason of the signal when that aborts; everything is flushed and closed by then
 */
export async function validate(
  options: ValidationOptions,
): Promise<{ readonly report: ValidationReport; readonly barograph: Barograph }> {
  const { output, signal } = options;
  signal.throwIfAborted();
  const barograph = await startBarograph({
    ...options,
    ...RECORDING_OF_A_COMMAND,
    onProblem: dedupeWarnings((message) => output.problem(message)),
    onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
    onRetention: reportRetention(output),
  });
  try {
    const runId = await untilAborted(signal, runToCompletion(options, barograph));
    await barograph.recording.flush();
    const report = await readValidationReport(options, barograph, runId);
    // Releases the exclusive lock: serving the results needs no worker, and another process may work on this database.
    await barograph.pipeline.stop();
    return { report, barograph };
  } catch (error) {
    if (signal.aborted) await abandonInterrupted(options, barograph);
    await closeInterrupted(options, barograph).catch(() => undefined);
    throw error;
  }
}

async function closeInterrupted({ output, signal }: ValidationOptions, barograph: Barograph): Promise<void> {
  const steps = await barograph.close();
  if (signal.aborted) output.ending(describeExit({ steps, spans: spansAtEnd(barograph.recording) }));
}

async function runToCompletion(options: ValidationOptions, { pipeline }: Barograph): Promise<number> {
  await pipeline.acquireExclusive();
  if (options.minerUrlPattern !== null) {
    await pipeline.abandonRuns(options.minerUrlPattern, {
      category: 'process_crash',
      reason: 'The process that simulated the miners had ended before the run.',
    });
  }
  const runId = await pipeline.createRun({
    validatorHotkey: options.validatorHotkey,
    initTime: options.initTime,
    miners: options.miners.miners,
    leads: options.leads,
    day1Lead: options.day1Lead,
    storeLocations: options.storeLocations,
  });
  await pipeline.start();
  await watchProgress(pipeline, { validatorHotkey: options.validatorHotkey, runId }, options);
  return runId;
}

/** Abandons an interrupted run of simulated miners, which end with this process. A run of real miners is resumable. */
async function abandonInterrupted(
  { minerUrlPattern, output, config }: ValidationOptions,
  { pipeline }: Barograph,
): Promise<void> {
  const hint = `Running steps finish first, within ${config.shutdownSeconds} s. Ctrl-C again ends at once.`;
  if (minerUrlPattern === null) {
    output.problem(`Ending; the same command resumes the run.\n${hint}`);
    return;
  }
  output.problem(`Ending; the run is abandoned, because its simulated miners end too.\n${hint}`);
  const why = { category: 'validator_internal', reason: 'The user ended it before its time.' } as const;
  await pipeline.abandonRuns(minerUrlPattern, why).catch(() => undefined);
}
