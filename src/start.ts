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
import { deferredSpanEnds } from './recorder/deferred-span-ends.ts';
import { startRecording, type Recording, type RecordingOptions } from './recorder/recording.ts';

/** How a validator is started. */
export interface StartOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly stores: PipelineStores;
  /** Multiplies every wait and retry. */
  readonly delayFactor: number;
  /** Polling interval of the queue, for notifications that do not arrive, milliseconds. */
  readonly queuePollMillis?: number;
  /** How soon steps of dead workers are repeated. */
  readonly recovery?: Recovery;
  readonly minerTimeouts?: MinerClientOptions['timeouts'];
  /** How soon the metrics show what was committed, ms; 5,000 unless given. */
  readonly refreshMillis?: number;
  /** Called with problems that stop nothing. */
  readonly onProblem: (message: string) => void;
  /** Called after spools of dead processes were adopted and delivered. */
  readonly onAdopted?: RecordingOptions['onAdopted'];
  /** Called after each round of retention that dropped something, or kept something for runs that have not ended. */
  readonly onRetention?: RecordingOptions['onRetention'];
}

/** A running validator: its pipeline, and the recording of that pipeline. */
export interface Barograph {
  readonly pipeline: Pipeline;
  readonly recording: Recording;
  /** Stops intake, drains running steps, flushes their spans, closes. @returns what became of the running steps */
  readonly close: () => Promise<StopReport>;
}

/**
 * Composition root: the only place where the pipeline and the exporters meet.
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
      ends: deferredSpanEnds(recording),
      onProblem,
    });
    add(() => pipeline.stop());
    return { pipeline, recording, close: () => close().then(() => pipeline.stop()) };
  });
}
