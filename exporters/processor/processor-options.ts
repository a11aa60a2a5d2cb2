import type { SpanSink } from '../export-report.ts';
import type { BackoffPolicy } from './backoff.ts';
import { systemScheduler, type Scheduler } from '#lifecycle/scheduler';
import type { DropReason, QueueListener, SpanQueue } from './span-queue.ts';

export interface RecordingSpanProcessorOptions {
  readonly sink: SpanSink;
  /** Where spans wait; in memory unless given. */
  readonly queue?: (listener: QueueListener) => SpanQueue;
  /** Most spans that wait in memory, those under way included; 100,000 unless given. */
  readonly maxQueueSize?: number;
  /** Most spans of one export; 8,000 unless given: the more, the less each of them costs. */
  readonly maxBatchSize?: number;
  /** How long a span waits for others, ms; 100 unless given. */
  readonly delayMillis?: number;
  /** How long one export may take before it is given up and made again, ms; without end unless given. */
  readonly exportTimeoutMillis?: number;
  /** How long `forceFlush` and `shutdown` wait, ms; 30,000 unless given. */
  readonly flushTimeoutMillis?: number;
  /** Pauses between attempts; from 100 ms to 30 s unless given. */
  readonly backoff?: BackoffPolicy;
  readonly scheduler?: Scheduler;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export const DEFAULT_OPTIONS = {
  maxQueueSize: 100_000,
  maxBatchSize: 8000,
  delayMillis: 100,
  flushTimeoutMillis: 30_000,
  backoff: { firstMillis: 100, maxMillis: 30_000 },
  scheduler: systemScheduler,
  random: Math.random,
} satisfies Omit<RecordingSpanProcessorOptions, 'sink'>;

/** The options with their defaults. */
export type CompleteOptions = RecordingSpanProcessorOptions &
  Required<Omit<RecordingSpanProcessorOptions, 'exportTimeoutMillis' | 'queue'>>;

/** Counters of the processor. */
export interface ProcessorCounters {
  /** Waiting or under way. */
  readonly queued: number;
  readonly exported: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Attempts that failed and are made again. */
  readonly retries: number;
  /** How long the oldest span has waited, ms; 0 when none does. */
  readonly oldestAgeMillis: number;
}
