import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { DropReason } from '../processor/span-queue.ts';

/** A step that has started and not ended. */
export interface OpenStep {
  /** As it was observed when it started. */
  readonly started: ObservedSpan;
  readonly sequence: number;
  /** The segment that holds the newest copy of its start, or why none does. */
  segment: number | null;
  readonly refused: DropReason | null;
}

/** The steps of a process that are under way: as many as it works on at once. */
export class OpenSteps {
  readonly #steps = new Map<string, OpenStep>();

  get size(): number {
    return this.#steps.size;
  }

  get(key: string): OpenStep | undefined {
    return this.#steps.get(key);
  }

  set(key: string, step: OpenStep): void {
    this.#steps.set(key, step);
  }

  delete(key: string): void {
    this.#steps.delete(key);
  }

  /** Those that have a start on disk. */
  kept(): readonly (readonly [key: string, step: OpenStep])[] {
    return [...this.#steps].filter(([, { segment }]) => segment !== null);
  }

  /** Those whose start would go with a segment. */
  startedUpTo(segment: number): readonly OpenStep[] {
    return [...this.#steps.values()].filter((step) => step.segment !== null && step.segment <= segment);
  }
}
