import type { OpenStep, SpanIds } from '#spool/open-steps';

/** What a spool asks of its open steps for every step. */
export interface OpenStepTable {
  readonly size: number;
  get(span: SpanIds): OpenStep | undefined;
  set(step: OpenStep): void;
  delete(span: SpanIds): void;
}

/** Open steps in a `Map`. A span id is unique within its trace only, so both ids make the key. */
export class PlainOpenSteps implements OpenStepTable {
  readonly #steps = new Map<string, OpenStep>();

  get size(): number {
    return this.#steps.size;
  }

  get(span: SpanIds): OpenStep | undefined {
    return this.#steps.get(keyOf(span));
  }

  set(step: OpenStep): void {
    this.#steps.set(keyOf(step.started), step);
  }

  delete(span: SpanIds): void {
    this.#steps.delete(keyOf(span));
  }
}

const keyOf = ({ traceId, spanId }: SpanIds): string => traceId + spanId;
