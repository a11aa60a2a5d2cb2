import type { ObservedSpan } from '#facts/observed-span';
import type { DropReason } from '#processor/span-queue';
import type { RunIdentity } from './books/ledger.ts';

/** The identity of a span. */
export type SpanIds = Pick<ObservedSpan, 'traceId' | 'spanId'>;

/** A step that has started and not ended. */
export interface OpenStep {
  /** The span as observed at its start. */
  readonly started: ObservedSpan;
  readonly sequence: number;
  readonly run: RunIdentity | null;
  /** Index of its start in the write buffer; null once that was flushed. */
  bufferIndex: number | null;
  /** The segment that holds the newest copy of its start; null when none does. */
  segment: number | null;
  /** Why its start was dropped; null when it was not. */
  dropped: DropReason | null;
}

const INITIAL_SLOTS = 1024;

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
  /** A power of two, so that a mask replaces the modulo; load factor at most 1/2. */
  #slots: (OpenStep | null)[] = emptySlots(INITIAL_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(span: SpanIds): OpenStep | undefined {
    return this.#slots[this.#slotOf(span)] ?? undefined;
  }

  /** Inserts a step, or replaces the one with the same span. */
  set(step: OpenStep): void {
    if (2 * this.#size >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(step.started);
    if (this.#slots[slot] === null) this.#size += 1;
    this.#slots[slot] = step;
  }

  delete(span: SpanIds): void {
    let gap = this.#slotOf(span);
    if (this.#slots[gap] === null) return;
    this.#slots[gap] = null;
    this.#size -= 1;
    // Backward shift: entries of the same probe run would not be found across the gap, so they move into it.
    const last = this.#slots.length - 1;
    for (let slot = (gap + 1) & last; ; slot = (slot + 1) & last) {
      const step = this.#slots[slot] ?? null;
      if (step === null) return;
      const home = hashOf(step.started.spanId) & last;
      if (((slot - home) & last) < ((slot - gap) & last)) continue;
      this.#slots[gap] = step;
      this.#slots[slot] = null;
      gap = slot;
    }
  }

  /** Steps whose start is on disk, oldest first. */
  onDisk(): readonly OpenStep[] {
    return this.#all().filter(({ segment }) => segment !== null);
  }

  /** Steps whose newest start lies in this segment or an older one, oldest first; compaction must rewrite them. */
  startedUpTo(segment: number): readonly OpenStep[] {
    return this.#all().filter((step) => step.segment !== null && step.segment <= segment);
  }

  /** The slot that holds this span, or the empty one that ends its probe run. */
  #slotOf({ traceId, spanId }: SpanIds): number {
    const last = this.#slots.length - 1;
    for (let slot = hashOf(spanId) & last; ; slot = (slot + 1) & last) {
      const step = this.#slots[slot] ?? null;
      if (step === null) return slot;
      if (step.started.spanId === spanId && step.started.traceId === traceId) return slot;
    }
  }

  #grow(): void {
    const steps = this.#all();
    this.#slots = emptySlots(2 * this.#slots.length);
    for (const step of steps) this.#slots[this.#slotOf(step.started)] = step;
  }

  #all(): readonly OpenStep[] {
    return this.#slots.filter((step) => step !== null).sort((a, b) => a.sequence - b.sequence);
  }
}

const emptySlots = (length: number): (OpenStep | null)[] => new Array<OpenStep | null>(length).fill(null);

/** Hashes the last eight digits, which differ in the ids of every generator; the leading ones may be a shared prefix. */
function hashOf(spanId: string): number {
  let hash = 0;
  for (let index = Math.max(0, spanId.length - 8); index < spanId.length; index += 1)
    hash = (Math.imul(hash, 31) + spanId.charCodeAt(index)) | 0;
  return hash ^ (hash >>> 15);
}
