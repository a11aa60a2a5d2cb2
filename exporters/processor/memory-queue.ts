import type { ObservedSpan } from '#facts/observed-span';
import type { Pushed, SpanBatch, SpanQueue } from './span-queue.ts';

interface QueuedSpan {
  readonly span: ObservedSpan;
  readonly queuedAt: number;
}

/** Bounded FIFO in memory. An end whose start is still queued replaces it in place, so the span stands once. */
export class MemoryQueue implements SpanQueue {
  readonly #maxSpans: number;
  readonly #spans = new Map<string, QueuedSpan>();
  /** Sizes of the batches in flight, oldest first. */
  #taken: number[] = [];

  /** @param maxSpans capacity, spans in flight included */
  constructor(maxSpans: number) {
    this.#maxSpans = maxSpans;
  }

  get size(): number {
    return this.#spans.size;
  }

  get oldestQueuedAt(): number | null {
    const [oldest] = this.#spans.values();
    return oldest?.queuedAt ?? null;
  }

  push(span: ObservedSpan, now: number): Pushed {
    const key = spanKey(span);
    const known = this.#spans.get(key);
    if (known === undefined && this.#spans.size + this.#takenSpans >= this.#maxSpans) return 'queue_full';
    this.#spans.set(key, { span, queuedAt: known?.queuedAt ?? now });
    return known === undefined ? 'queued' : 'merged';
  }

  take(maxSpans: number): SpanBatch {
    const taken: QueuedSpan[] = [];
    for (const [key, queued] of this.#spans) {
      if (taken.length === maxSpans) break;
      taken.push(queued);
      this.#spans.delete(key);
    }
    this.#taken.push(taken.length);
    const spans = taken.map(({ span }) => span);
    return { spans, queuedAt: taken[0]?.queuedAt ?? 0, isFull: spans.length === maxSpans };
  }

  settle(): void {
    this.#taken.shift();
  }

  close(): number {
    const lost = this.#spans.size + this.#takenSpans;
    this.#spans.clear();
    this.#taken = [];
    return lost;
  }

  get #takenSpans(): number {
    return this.#taken.reduce((sum, spans) => sum + spans, 0);
  }
}

const spanKey = ({ traceId, spanId }: ObservedSpan): string => `${traceId}${spanId}`;
