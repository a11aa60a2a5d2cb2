import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';

/** Why a span never reached the sink. */
export const DROP_REASONS = [
  'queue_full',
  'spool_full',
  'disk_full',
  'spool_failed',
  'too_large',
  'rejected',
  'unreadable',
  'after_shutdown',
  'shutdown_deadline',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** A batch that has left the queue. */
export interface SpanBatch {
  readonly spans: readonly ObservedSpan[];
  /** When its oldest span came, ms. */
  readonly queuedAt: number;
  /**
   * What the emitter says once the spans up to `to` are safe, those from `from` on being told now; absent where nobody
   * keeps books.
   */
  readonly account?: (from: number, to: number) => EmitterAccount;
  /** It holds as much as a batch may. */
  readonly isFull?: boolean;
  /** Nothing was taken, and nothing is to be settled: what waits cannot be had now. */
  readonly isHeldUp?: boolean;
}

/** Hears what becomes of spans after they were pushed. */
export interface QueueListener {
  /** Spans that had been queued could not be kept. */
  readonly dropped: (reason: DropReason, spans: number) => void;
  /** The queue made spans of its own, to close steps. */
  readonly added: (spans: number) => void;
}

/** What became of a span that was pushed: it waits, or it took the place of its start, or why it does not. */
export type Pushed = 'queued' | 'merged' | DropReason;

/** Where spans wait between their step and the sink, in the order in which their steps started or ended. */
export interface SpanQueue {
  /** Spans that wait; those of a batch that was taken are not among them. */
  readonly size: number;
  /** Arrival of the oldest of them, ms; null when the queue is empty. */
  readonly oldestQueuedAt: number | null;
  /** Synchronous, and never throws. */
  push(span: ObservedSpan, now: number): Pushed;
  /** The oldest spans, at most so many; none when none waits, or when they cannot be had now. One call at a time. */
  take(maxSpans: number): SpanBatch | Promise<SpanBatch>;
  /** The spans of the oldest batch that was taken are where they belong, or were dropped and counted. */
  settle(): void;
  /** Takes no more. @returns how many spans are lost with it: those that it keeps elsewhere are not */
  close(): number;
}
