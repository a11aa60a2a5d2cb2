import { closingSpan, type Closing } from '#facts/closing';
import { microsOfNanos } from '#facts/instants';
import type { ObservedSpan } from '#facts/observed-span';
import type { OpenStep } from './open-steps.ts';

/** The closings that are still to be written, in the order in which they were owed: there was no room for them. */
export class PendingClosings {
  readonly #closings: ObservedSpan[] = [];

  get size(): number {
    return this.#closings.length;
  }

  get first(): ObservedSpan | undefined {
    return this.#closings[0];
  }

  /** Closes a step. @returns the closing */
  owe({ started }: OpenStep, closing: Closing): ObservedSpan {
    const span = closingSpan(started, closing);
    this.#closings.push(span);
    return span;
  }

  /** Closes a step whose end found no room: all that is known is when it started. */
  addPendingEnd(start: OpenStep): void {
    this.owe(start, { reason: 'spool_full', at: microsOfNanos(start.started.startTimeUnixNano) });
  }

  /** The first was written, or can never be. */
  removeFirst(): void {
    this.#closings.shift();
  }
}
