import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpanSink } from '#exporters/export-report';
import type { DeliveryContext } from '#processor/deliver-batch';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { systemScheduler } from '#lifecycle/scheduler';
import type { DropReason } from '#processor/span-queue';
import { adoptSpools, type Adopted } from '#spool/recovery/adopt-spools';
import { Spool, type SpoolRemainder } from '#spool/spool';
import type { Emitter } from '#spool/books/ledger';
import { claimFolder, removeFolder, type SpoolFolder } from '#spool/spool-folder';
import { startUpkeep } from '#spool/heartbeat';
import type { Config } from '../config.ts';
import { describeConnectionTarget } from '#database/connection-target';
import type { ObservedSpan } from '#facts/observed-span';
import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';

/** Bytes at which a file of records is closed and the next one begun. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

/** What the spool of a process is opened with. */
export interface RecordingSpoolOptions {
  readonly config: Pick<Config, 'dataDirectory' | 'spoolLimitBytes' | 'spoolDurability'>;
  readonly emitter: Emitter;
  /** Records wait for the database that they were meant for, and go to no other. */
  readonly database: { readonly connectionString: string; readonly kind: 'given' | 'embedded' };
  readonly sink: SpanSink;
  /** The sink whose batches are counted. */
  readonly measuredSink: SpanSink;
  readonly flushTimeoutMillis?: number;
  readonly onProblem: (message: string) => void;
  /** Hears each time that spools of others were taken over and delivered. */
  readonly onAdopted?: ((adopted: Adopted) => void) | undefined;
}

/** The spool of a process, and the processor that fills it. */
export interface RecordingSpool {
  readonly processor: RecordingSpanProcessor;
  /** Bytes on disk. */
  readonly bytes: () => number;
  /** Records of dead processes that were damaged, by reason. */
  readonly droppedOfOthers: () => Readonly<Record<string, number>>;
  /** Starts to look after the spool, and after those of dead processes. */
  readonly start: (onClosed: (closings: readonly ObservedSpan[]) => void) => {
    /** What dead processes had left at the start, when it has been delivered. */
    readonly adopted: Promise<Adopted>;
    readonly stop: () => Promise<void>;
  };
  /** After the processor was shut down: removes the spool when nothing is left in it. @returns what is left */
  readonly finish: () => Promise<SpoolRemainder>;
}

/**
 * Opens a spool for this process alone.
 *
 * @throws CategorizedError when the data directory cannot be written
 */
export async function openRecordingSpool(options: RecordingSpoolOptions): Promise<RecordingSpool> {
  const { emitter, onProblem } = options;
  const root = spoolRoot(options);
  const folder = await claim(root, emitter.instanceId);
  const { spool, processor } = createProcessor(options, folder);
  const flushNow = (): void => spool.flushNow();
  process.on('exit', flushNow);
  process.on('uncaughtExceptionMonitor', flushNow);
  const dropped: Record<string, number> = {};
  return {
    processor,
    bytes: () => spool.bytes,
    droppedOfOthers: () => dropped,
    start: (onClosed) => {
      const stopping = new AbortController();
      const onDropped = (reason: DropReason, records: number): void => {
        dropped[reason] = (dropped[reason] ?? 0) + records;
      };
      const adoption = { ...spoolSettings(options), root, sink: options.measuredSink, onClosed, onDropped };
      const delivery = createDelivery(options.measuredSink, stopping.signal);
      const adopt = async (): Promise<Adopted> => {
        const { maxBatchSize } = DEFAULT_OPTIONS;
        const adopted = await adoptSpools({ ...adoption, delivery, maxBatchSize, onProblem });
        if (adopted.records > 0) options.onAdopted?.(adopted);
        return adopted;
      };
      const limitBytes = options.config.spoolLimitBytes;
      const upkeep = startUpkeep({
        ...options,
        spool,
        folder,
        limitBytes,
        adopt,
        scheduler: systemScheduler,
      });
      const stop = async (): Promise<void> => {
        stopping.abort();
        await upkeep.stop();
      };
      return { adopted: upkeep.adopted, stop };
    },
    finish: async () => {
      process.off('exit', flushNow);
      process.off('uncaughtExceptionMonitor', flushNow);
      return finish(spool, folder, options.sink);
    },
  };
}

/** Where the spools lie whose records are meant for one database. */
export function spoolRoot({
  config,
  database,
}: Pick<RecordingSpoolOptions, 'database'> & {
  readonly config: Pick<Config, 'dataDirectory'>;
}): string {
  const target =
    database.kind === 'embedded' ? 'embedded' : describeConnectionTarget(database.connectionString);
  const hash = createHash('sha256').update(target).digest('hex').slice(0, 8);
  return join(
    config.dataDirectory,
    'spool',
    `${target.replaceAll(/[^A-Za-z0-9.-]+/g, '_').slice(0, 60)}-${hash}`,
  );
}

async function claim(root: string, name: string): Promise<SpoolFolder> {
  const folder = await claimFolder(root, name).catch((cause: unknown) => {
    const found = messageOf(cause);
    throw new CategorizedError(
      'validator_internal',
      `Records could not be kept in ${root} (${found}). Set BAROGRAPH_DATA_DIR to a directory that can be written.`,
      { cause },
    );
  });
  if (folder !== null) return folder;
  throw new CategorizedError('lock_busy', `Another process writes its records to ${join(root, name)}.`);
}

const spoolSettings = ({ config }: RecordingSpoolOptions) => ({
  segmentBytes: SEGMENT_BYTES,
  limitBytes: config.spoolLimitBytes,
  durability: config.spoolDurability,
});

function createProcessor(options: RecordingSpoolOptions, { directory }: SpoolFolder) {
  let opened: Spool | undefined;
  const { emitter, measuredSink, flushTimeoutMillis } = options;
  const processor = new RecordingSpanProcessor({
    sink: measuredSink,
    queue: (listener) => (opened = new Spool({ ...spoolSettings(options), directory, emitter, listener })),
    ...(flushTimeoutMillis === undefined ? {} : { flushTimeoutMillis }),
  });
  if (opened === undefined) throw new Error('The processor asked for no queue.');
  return { processor, spool: opened };
}

function createDelivery(sink: SpanSink, signal: AbortSignal): DeliveryContext {
  return {
    sink,
    scheduler: systemScheduler,
    random: Math.random,
    backoff: DEFAULT_OPTIONS.backoff,
    exportTimeoutMillis: null,
    signal,
    isStopped: () => signal.aborted,
    onRetry: () => undefined,
    pause: (millis) => sleep(millis, undefined, { signal, ref: false }).catch(() => undefined),
  };
}

async function finish(spool: Spool, folder: SpoolFolder, sink: SpanSink): Promise<SpoolRemainder> {
  spool.close();
  const { remainder } = spool;
  if (remainder.records === 0 && remainder.openSteps === 0 && (await isClosed(spool, sink)))
    await removeFolder(folder);
  else await folder.lock.release();
  return remainder;
}

/** Delivers the final report of this process; without it, the next process adopts the empty spool and delivers it. */
async function isClosed(spool: Spool, sink: SpanSink): Promise<boolean> {
  if (spool.isUnused) return true;
  return (await sink.export([], { account: spool.account(true) })).kind === 'written';
}
