import type { SpanSink } from '../export-report.ts';
import { systemScheduler, type Scheduler } from '#lifecycle/scheduler';
import type { DropReason, QueueListener, SpanQueue } from './span-queue.ts';

/** Exponential backoff between the attempts to export a batch. */
export interface BackoffPolicy {
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/**
 * Capped exponential backoff with equal jitter, ms: doubled with each attempt up to the cap, of which a random part between
 * half and all is waited. Without jitter all processes would retry at the same instant after an outage.
 *
 * @param attempt attempts made so far, from 1
 * @param random from 0 to 1
 */
export function backoffMillis(attempt: number, random: number, policy: BackoffPolicy): number {
  const full = Math.min(policy.maxMillis, policy.firstMillis * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (random * full) / 2;
}

export interface RecordingSpanProcessorOptions {
  readonly sink: SpanSink;
  /** Makes the queue; in memory by default. */
  readonly queue?: (listener: QueueListener) => SpanQueue;
  /** Capacity of the queue in memory, spans in flight included; 100,000 by default. */
  readonly maxQueueSize?: number;
  /** Largest number of spans in one export; 8,000 by default. Larger batches cost less per span. */
  readonly maxBatchSize?: number;
  /** Linger time before a partial batch is exported, ms; 100 by default. */
  readonly delayMillis?: number;
  /** Timeout of one export attempt, which is then retried, ms; none by default. */
  readonly exportTimeoutMillis?: number;
  /** Deadline of `forceFlush` and `shutdown`, ms; 30,000 by default. */
  readonly flushTimeoutMillis?: number;
  /** Pauses between attempts; from 100 ms to 30 s by default. */
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

/** Counters of the processor, exported as metrics. */
export interface ProcessorCounters {
  /** Queued or in flight. */
  readonly queued: number;
  readonly exported: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Attempts that failed and were retried. */
  readonly retries: number;
  /** How long the oldest span has waited, ms; 0 when none does. */
  readonly oldestAgeMillis: number;
}
