import { acquireAll } from './lifecycle/resource-stack.ts';
import type { Config } from './config.ts';
import {
  createPipeline,
  type Pipeline,
  type PipelineStores,
  type Recovery,
  type StopReport,
} from './pipeline/index.ts';
import { createMinerClient, type MinerClientOptions } from './pipeline/miners/index.ts';
import { recordedEnds } from './recorder/deferred-span-ends.ts';
import { startRecording, type Recording, type RecordingOptions } from './recorder/recording.ts';

/** What a validator is started with. */
export interface StartOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly stores: PipelineStores;
  /** Multiplies every wait and retry. */
  readonly delayFactor: number;
  /** How often the queue is looked at where notifications do not arrive, milliseconds. */
  readonly queuePollMillis?: number;
  /** How soon steps of dead workers are done again. */
  readonly recovery?: Recovery;
  readonly minerTimeouts?: MinerClientOptions['timeouts'];
  /** How soon the metrics show what was committed, ms; 5,000 unless given. */
  readonly refreshMillis?: number;
  /** Hears of what is in the way but stops nothing. */
  readonly onProblem: (message: string) => void;
  /** Hears each time that what other processes had left in their spools was delivered. */
  readonly onAdopted?: RecordingOptions['onAdopted'];
}

/** A validator at work: its pipeline, and the recording of what that does. */
export interface Barograph {
  readonly pipeline: Pipeline;
  readonly recording: Recording;
  /** Stops intake, lets steps end, records what they said, closes. @returns what became of the steps under way */
  readonly close: () => Promise<StopReport>;
}

/**
 * Composition root: starts the recording and the pipeline of one validator; the only place where both meet.
 * `delayFactor` scales every delay and retry; times are milliseconds.
 *
 * @throws CategorizedError when the database cannot be opened or the configuration is wrong; nothing is left open then
 *
 * @example
 * ```ts
 * import { readConfig, startBarograph, type PipelineStores } from 'barograph';
 *
 * export async function work(stores: PipelineStores, validatorHotkey: string): Promise<void> {
 *   const barograph = await startBarograph({
 *     config: readConfig(process.env),
 *     validatorHotkey,
 *     stores,
 *     delayFactor: 1,
 *     onProblem: (message) => console.warn(message),
 *   });
 *   process.once('SIGTERM', () => void barograph.close());
 * }
 * ```
 */
export function startBarograph(options: StartOptions): Promise<Barograph> {
  const { config, onProblem, minerTimeouts: timeouts, queuePollMillis, recovery } = options;
  return acquireAll(async ({ add, close }) => {
    const minerClient = createMinerClient(timeouts === undefined ? {} : { timeouts });
    add(() => minerClient.close());
    const recording = await startRecording(options);
    add(() => recording.close());
    const pipeline = createPipeline({
      connectionString: recording.connectionString,
      stores: options.stores,
      minerClient,
      delayFactor: options.delayFactor,
      concurrency: config.concurrency,
      stopMillis: config.shutdownSeconds * 1000,
      ...(queuePollMillis === undefined ? {} : { queuePollMillis }),
      ...(recovery === undefined ? {} : { recovery }),
      ends: recordedEnds(recording),
      onProblem,
    });
    add(() => pipeline.stop());
    return { pipeline, recording, close: () => close().then(() => pipeline.stop()) };
  });
}
