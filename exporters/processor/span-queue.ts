import type { ObservedSpan } from '../../src/facts/observed-span.ts';

/** Spans on their way to the sink, in the order in which their steps started or ended, each with its arrival, ms. */
interface QueuedSpan {
  readonly span: ObservedSpan;
  readonly queuedAt: number;
}

/** A batch that has left the queue. */
export interface SpanBatch {
  readonly spans: readonly ObservedSpan[];
  /** When its oldest span came, ms. */
  readonly queuedAt: number;
}

/** A queue in which a span that ends before its start was taken stands once, as ended, in the place of its start. */
export class SpanQueue {
  readonly #spans = new Map<string, QueuedSpan>();

  get size(): number {
    return this.#spans.size;
  }

  /** Arrival of the oldest span, ms; null when the queue is empty. */
  get oldestQueuedAt(): number | null {
    const [oldest] = this.#spans.values();
    return oldest?.queuedAt ?? null;
  }

  /** Whether the span takes no room of its own, as its start waits here. */
  replaces(span: ObservedSpan): boolean {
    return this.#spans.has(keyOf(span));
  }

  push(span: ObservedSpan, now: number): void {
    const key = keyOf(span);
    this.#spans.set(key, { span, queuedAt: this.#spans.get(key)?.queuedAt ?? now });
  }

  /** Takes the oldest spans, at most so many. */
  take(maxSpans: number): SpanBatch {
    const taken: QueuedSpan[] = [];
    for (const [key, queued] of this.#spans) {
      if (taken.length === maxSpans) break;
      taken.push(queued);
      this.#spans.delete(key);
    }
    return { spans: taken.map(({ span }) => span), queuedAt: taken[0]?.queuedAt ?? 0 };
  }

  /** Empties the queue and tells how many spans were in it. */
  clear(): number {
    const { size } = this.#spans;
    this.#spans.clear();
    return size;
  }
}

const keyOf = ({ traceId, spanId }: ObservedSpan): string => `${traceId}${spanId}`;
