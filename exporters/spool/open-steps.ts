import type { ObservedSpan } from '#facts/observed-span';
import type { DropReason } from '#processor/span-queue';
import type { RunIdentity } from './books/ledger.ts';

/** The identity of a span. */
export type SpanIds = Pick<ObservedSpan, 'traceId' | 'spanId'>;

/** A step that has started and not ended. */
export interface OpenStep {
  /** As it was observed when it started. */
  readonly started: ObservedSpan;
  readonly sequence: number;
  readonly run: RunIdentity | null;
  /** Index of its start in the write buffer; null when the start is not buffered any more. */
  pendingAt: number | null;
  /** The segment that holds the newest copy of its start, or why none does. */
  segment: number | null;
  refused: DropReason | null;
}

const FIRST_PLACES = 1024;

/**
 * The steps of a process that are under way: as many as it works on at once.
 *
 * Open-addressing hash table (linear probing, backward-shift delete), keyed by span id and compared by both ids. `Map`
 * rehashes under insert/delete churn, and its old tables hold ended steps until a full garbage collection; it also needs a
 * key made of both ids. With `Map` a step costs 10.9 µs of CPU in place of 8.6 (`npm run bench -- steps`, recorded, 64 in
 * flight); p99 is the same, and with 4,000 in flight so is the mean. `npm run bench -- data-structures` has the table alone:
 * 0.6 µs in place of 1.4.
 */
export class OpenSteps {
  /** Slots of the hash table: a power of two, at most half full; linear probing from the home slot. */
  #slots: (OpenStep | null)[] = emptyPlaces(FIRST_PLACES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(span: SpanIds): OpenStep | undefined {
    return this.#slots[this.#placeOf(span)] ?? undefined;
  }

  /** Upserts a step by its span. */
  set(step: OpenStep): void {
    if (2 * this.#size >= this.#slots.length) this.#grow();
    const place = this.#placeOf(step.started);
    if (this.#slots[place] === null) this.#size += 1;
    this.#slots[place] = step;
  }

  delete(span: SpanIds): void {
    let free = this.#placeOf(span);
    if (this.#slots[free] === null) return;
    this.#slots[free] = null;
    this.#size -= 1;
    // Backward-shift delete: moves up those that probing would not find across the gap.
    const last = this.#slots.length - 1;
    for (let place = (free + 1) & last; ; place = (place + 1) & last) {
      const step = this.#slots[place] ?? null;
      if (step === null) return;
      const own = hashOf(step.started.spanId) & last;
      if (((place - own) & last) < ((place - free) & last)) continue;
      this.#slots[free] = step;
      this.#slots[place] = null;
      free = place;
    }
  }

  /** Steps whose start is on disk, oldest first. */
  kept(): readonly OpenStep[] {
    return this.#all().filter(({ segment }) => segment !== null);
  }

  /** Steps whose newest start lies in a segment, oldest first. */
  startedUpTo(segment: number): readonly OpenStep[] {
    return this.#all().filter((step) => step.segment !== null && step.segment <= segment);
  }

  /** The slot of this span, or the free slot in which it belongs. */
  #placeOf({ traceId, spanId }: SpanIds): number {
    const last = this.#slots.length - 1;
    for (let place = hashOf(spanId) & last; ; place = (place + 1) & last) {
      const step = this.#slots[place] ?? null;
      if (step === null) return place;
      if (step.started.spanId === spanId && step.started.traceId === traceId) return place;
    }
  }

  #grow(): void {
    const steps = this.#all();
    this.#slots = emptyPlaces(2 * this.#slots.length);
    for (const step of steps) this.#slots[this.#placeOf(step.started)] = step;
  }

  #all(): readonly OpenStep[] {
    return this.#slots.filter((step) => step !== null).sort((a, b) => a.sequence - b.sequence);
  }
}

const emptyPlaces = (length: number): (OpenStep | null)[] => new Array<OpenStep | null>(length).fill(null);

/** Hashes the last digits: every id generator varies these. */
function hashOf(spanId: string): number {
  let hash = 0;
  for (let index = Math.max(0, spanId.length - 8); index < spanId.length; index += 1)
    hash = (Math.imul(hash, 31) + spanId.charCodeAt(index)) | 0;
  return hash ^ (hash >>> 15);
}
