import { closingSpan, type Closing } from '#facts/closing';
import { microsOfNanos } from '#facts/instants';
import type { ObservedSpan } from '#facts/observed-span';
import type { OpenStep } from './open-steps.ts';

/** FIFO of synthetic ends that could not be written yet because the spool was full. */
export class PendingClosings {
  readonly #closings: ObservedSpan[] = [];

  get size(): number {
    return this.#closings.length;
  }

  get first(): ObservedSpan | undefined {
    return this.#closings[0];
  }

  /** Makes the closing of a step and queues it. @returns the closing */
  enqueue({ started }: OpenStep, closing: Closing): ObservedSpan {
    const span = closingSpan(started, closing);
    this.#closings.push(span);
    return span;
  }

  /** Queues the closing of a step whose end was dropped. It closes at the start, the only instant that is still known. */
  enqueueDroppedEnd(start: OpenStep): void {
    this.enqueue(start, { reason: 'spool_full', at: microsOfNanos(start.started.startTimeUnixNano) });
  }

  /** Dequeues the first one, which was written or is too large ever to be. */
  removeFirst(): void {
    this.#closings.shift();
  }
}
