import { acquireAll } from './lifecycle/resource-stack.ts';
import type { Config } from './config.ts';
import {
  createPipeline,
  type Pipeline,
  type PipelineStores,
  type Recovery,
  type StopReport,
} from './pipeline/index.ts';
import {
  createMinerClient,
  createMinersConnector,
  type MinerClientOptions,
  type MinersTls,
} from './pipeline/miners/index.ts';
import { deferredSpanEnds } from './recorder/deferred-span-ends.ts';
import { startRecording, type Recording, type RecordingOptions } from './recorder/recording.ts';

/** How a validator is started. */
export interface StartOptions extends Pick<
  RecordingOptions,
  | 'validatorHotkey'
  | 'metricsServer'
  | 'traces'
  | 'refreshMillis'
  | 'onEmbedded'
  | 'onAdopted'
  | 'onRetention'
> {
  readonly config: Config;
  readonly stores: PipelineStores;
  /** Multiplies every wait and retry. */
  readonly delayFactor: number;
  /** Polling interval of the queue, for notifications that do not arrive, milliseconds. */
  readonly queuePollMillis?: number;
  /** How soon steps of dead workers are repeated. */
  readonly recovery?: Recovery;
  readonly minerTimeouts?: MinerClientOptions['timeouts'];
  /** How the certificates of miners are checked; not at all unless given. */
  readonly minersTls?: MinersTls;
  /** The form in which miners are asked; unsigned JSON unless given. */
  readonly minerTransport?: MinerClientOptions['transport'];
  /** Called with problems that stop nothing. */
  readonly onProblem: (message: string) => void;
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
  const { config, onProblem, minerTimeouts: timeouts, minerTransport: transport } = options;
  const { queuePollMillis, recovery } = options;
  return acquireAll(async ({ add, close }) => {
    // One for calls and files, so that a certificate that one has pinned is that of the other.
    const connect = createMinersConnector(options.minersTls);
    const minerClient = createMinerClient({
      connect,
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(transport === undefined ? {} : { transport }),
    });
    add(() => minerClient.close());
    const recording = await startRecording(options);
    add(() => recording.close());
    const pipeline = createPipeline({
      connectionString: recording.connectionString,
      stores: options.stores,
      minerClient,
      connectToMiners: connect,
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
