import { closingSpan, type Closing } from '../../src/facts/closing.ts';
import { microsOfNanos } from '../../src/facts/instants.ts';
import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { OpenStep } from './open-steps.ts';

/** A closing that is still to be written. */
export interface OwedClosing {
  /** Of the span of its step. */
  readonly key: string;
  readonly span: ObservedSpan;
}

/** The closings that are still to be written, in the order in which they were owed: there was no room for them. */
export class OwedClosings {
  readonly #closings: OwedClosing[] = [];

  get size(): number {
    return this.#closings.length;
  }

  get first(): OwedClosing | undefined {
    return this.#closings[0];
  }

  /** Closes a step. @returns the closing */
  owe(key: string, { started }: OpenStep, closing: Closing): ObservedSpan {
    return this.#add(key, closingSpan(started, closing));
  }

  /** Closes a step whose end found no room: all that is known is when it started. */
  oweForEnd(key: string, { started }: OpenStep): void {
    const at = microsOfNanos(started.startTimeUnixNano);
    this.#add(key, closingSpan(started, { reason: 'spool_full', at }));
  }

  /** The first was written, or can never be. */
  removeFirst(): void {
    this.#closings.shift();
  }

  #add(key: string, span: ObservedSpan): ObservedSpan {
    this.#closings.push({ key, span });
    return span;
  }
}
