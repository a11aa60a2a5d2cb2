import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../export-report.ts';

/** Why a span never reached the sink. */
export const DROP_REASONS = [
  'queue_full',
  'spool_full',
  'disk_full',
  'spool_failed',
  'spool_lost',
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
  /** When its oldest span was queued, ms. */
  readonly queuedAt: number;
  /**
   * The account of the emitter to commit with the spans from `from` (included) to `to` (excluded); it holds once all spans
   * before `to` are committed. Absent where no books are kept.
   */
  readonly account?: (from: number, to: number) => EmitterAccount;
  /** It has reached a limit of a batch, in spans or bytes. */
  readonly isFull?: boolean;
  /** Blocked: the queue cannot be read now. The batch is empty and must not be settled. */
  readonly isHeldUp?: boolean;
}

/** Callbacks for what happens to spans after `push`. */
export interface QueueListener {
  /** Spans that had been queued could not be stored. */
  readonly dropped: (reason: DropReason, spans: number) => void;
  /** The queue added closings of its own. */
  readonly added: (spans: number) => void;
}

/** Outcome of `push`: queued, merged into the queued start of the same span, or the reason of the drop. */
export type Pushed = 'queued' | 'merged' | DropReason;

/** FIFO between the steps and the sink. */
export interface SpanQueue {
  /** Queued spans; those of batches in flight do not count. */
  readonly size: number;
  /** When the oldest of them was queued, ms; null when the queue is empty. */
  readonly oldestQueuedAt: number | null;
  /** What it accepts survives the process: intake goes on during a shutdown, until the queue itself refuses. */
  readonly isDurable?: boolean;
  /** Synchronous, and never throws. */
  push(span: ObservedSpan, now: number): Pushed;
  /** Takes up to `maxSpans` of the oldest spans; none when the queue is empty or held up. Calls must not overlap. */
  take(maxSpans: number): SpanBatch | Promise<SpanBatch>;
  /** Acknowledges the oldest batch in flight: its spans were written, or dropped and counted. */
  settle(): void;
  /** Stops intake. @returns spans that are lost with the queue; those on disk are not */
  close(): number;
}
