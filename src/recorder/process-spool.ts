import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpanSink } from '#exporters/export-report';
import type { DeliveryContext } from '#processor/deliver-batch';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { systemScheduler } from '#lifecycle/scheduler';
import type { DropReason } from '#processor/span-queue';
import { createAdopter, type Adopted } from '#spool/recovery/adopt-spools';
import { unreadableBytes } from '#spool/recovery/inspect-spools';
import { ReplaceableSpool } from '#spool/replaceable-spool';
import type { Sender } from '#spool/sender-shares';
import type { Received, SpoolRemainder } from '#spool/spool';
import type { Emitter } from '#spool/books/ledger';
import { claimFolder, type SpoolFolder } from '#spool/spool-folder';
import { startUpkeep } from '#spool/heartbeat';
import type { Config } from '../config.ts';
import { describeConnectionTarget } from '#database/connection-target';
import type { ObservedSpan } from '#facts/observed-span';
import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';

/** Bytes at which a segment is closed and the next one begun. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

/** How the spool of a process is opened. */
export interface RecordingSpoolOptions {
  readonly config: Pick<Config, 'dataDirectory' | 'spoolLimitBytes' | 'spoolDurability'>;
  readonly emitter: Emitter;
  /** Spools are kept per database: records are delivered to the one they were written for, never to another. */
  readonly database: { readonly connectionString: string; readonly kind: 'given' | 'embedded' };
  readonly sink: SpanSink;
  /** The same sink, instrumented: its batches are counted in the recorder's metrics. */
  readonly measuredSink: SpanSink;
  readonly flushTimeoutMillis?: number;
  readonly onProblem: (message: string) => void;
  /** Called after spools of dead processes were adopted and delivered. */
  readonly onAdopted?: ((adopted: Adopted) => void) | undefined;
}

/** The spool of a process, and the processor that fills it. */
export interface RecordingSpool {
  readonly processor: RecordingSpanProcessor;
  /** Takes spans of another program, all or none; resolves when they are on the disk. */
  readonly receive: ReceiveSpans;
  /** Bytes on disk. */
  readonly bytes: () => number;
  /** Bytes of spools for the same database that were set aside, because they cannot be read. */
  readonly unreadableBytes: () => number;
  /** Damaged records of adopted spools, by reason. */
  readonly droppedOfOthers: () => Readonly<Record<string, number>>;
  /** Starts the heartbeat of this spool and the adoption of spools of dead processes. */
  readonly start: (onClosed: (closings: readonly ObservedSpan[]) => void) => {
    /** The outcome of the first adoption, once its records are delivered. */
    readonly adopted: Promise<Adopted>;
    readonly stop: () => Promise<void>;
  };
  /** Call after the processor was shut down. Removes the spool if it is empty. @returns what is left */
  readonly finish: () => Promise<SpoolRemainder>;
}

/** Outcome of receiving: on the disk; or not kept, and the sender may send the same again later, or never. */
export type ReceiveReport =
  { readonly kind: 'written' } | { readonly kind: 'retryable' | 'rejected'; readonly error: Error };
export type ReceiveSpans = (spans: readonly ObservedSpan[], sender: Sender) => Promise<ReceiveReport>;

/** What a sender and its operator are told when spans cannot be kept. */
const NOT_KEPT: Readonly<Partial<Record<Received | 'share_full', string>>> = {
  share_full: 'the share of the spool that this token has is full',
  spool_full: 'the spool is full: raise BAROGRAPH_SPOOL_LIMIT_MIB, or make the database answer',
  disk_full: 'the disk of the spool is full: free some of it, or make the database answer',
};

const receiveInto =
  (spool: ReplaceableSpool): ReceiveSpans =>
  async (spans, sender) => {
    const received = await spool.receive(spans, sender, systemScheduler.now());
    if (received === 'written') return { kind: 'written' };
    const error = new Error(`Spans of other programs were not kept: ${NOT_KEPT[received] ?? received}.`);
    return { kind: received === 'too_large' ? 'rejected' : 'retryable', error };
  };

/**
 * Opens a spool of which this process holds the lock.
 *
 * @throws CategorizedError when the data directory cannot be written, or another process holds the spool
 */
export async function openRecordingSpool(options: RecordingSpoolOptions): Promise<RecordingSpool> {
  const { emitter, onProblem } = options;
  const root = spoolRoot(options);
  const folder = await claim(root, emitter.instanceId);
  const { spool, processor } = createProcessor(options, { root, folder });
  // Its books exist before its first step: if it is killed and its folder deleted, they stay open and tell of it.
  if (!spool.isIdle && (await options.sink.export([], { account: spool.account() })).kind !== 'written')
    onProblem(
      'The process is not in the books yet, since the database did not take them. The next attempt follows.',
    );
  const flushNow = (): void => spool.flushNow();
  process.on('exit', flushNow);
  process.on('uncaughtExceptionMonitor', flushNow);
  const dropped: Record<string, number> = {};
  return {
    processor,
    receive: receiveInto(spool),
    bytes: () => spool.bytes,
    unreadableBytes: () => unreadableBytes(root),
    droppedOfOthers: () => dropped,
    start: (onClosed) => {
      const stopping = new AbortController();
      const onDropped = (reason: DropReason, records: number): void => {
        dropped[reason] = (dropped[reason] ?? 0) + records;
      };
      const adoptOrphans = createAdopter({
        ...spoolSettings(options),
        root,
        sink: options.measuredSink,
        delivery: createDelivery(options.measuredSink, stopping.signal),
        maxBatchSize: DEFAULT_OPTIONS.maxBatchSize,
        onClosed,
        onDropped,
        onProblem,
      });
      const adopt = async (): Promise<Adopted> => {
        const adopted = await adoptOrphans();
        if (adopted.records > 0) options.onAdopted?.(adopted);
        return adopted;
      };
      const limitBytes = options.config.spoolLimitBytes;
      const upkeep = startUpkeep({
        ...options,
        spool,
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
      return spool.finish();
    },
  };
}

/** The directory of the spools of one database. The hash keeps targets apart that sanitize to the same name. */
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

function createProcessor(
  options: RecordingSpoolOptions,
  { root, folder }: { readonly root: string; readonly folder: SpoolFolder },
) {
  let opened: ReplaceableSpool | undefined;
  const { measuredSink, flushTimeoutMillis } = options;
  const settings = spoolSettings(options);
  const processor = new RecordingSpanProcessor({
    sink: measuredSink,
    queue: (listener) => (opened = new ReplaceableSpool({ ...options, settings, root, listener }, folder)),
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
