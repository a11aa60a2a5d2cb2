import type { SpanSink } from '../export-report.ts';
import type { SpanBatch, SpanQueue } from './span-queue.ts';

/**
 * Takes batches out of a queue, in order. Behind a full batch one as large is taken at once and made ready by the sink while
 * the first is delivered; a smaller one may still grow, and waits.
 */
export class BatchFeed {
  readonly #queue: SpanQueue;
  readonly #sink: SpanSink;
  readonly #maxSpans: number;
  readonly #unsettled: SpanBatch[] = [];
  #ahead: Promise<SpanBatch> | null = null;

  /** `maxSpans`: most spans of a batch. */
  constructor(queue: SpanQueue, sink: SpanSink, maxSpans: number) {
    this.#queue = queue;
    this.#sink = sink;
    this.#maxSpans = maxSpans;
  }

  /** Spans that were taken and are not settled. */
  get size(): number {
    return this.#unsettled.reduce((sum, { spans }) => sum + spans.length, 0);
  }

  /** Arrival of the oldest of them, ms; null when there is none. */
  get oldestQueuedAt(): number | null {
    return this.#unsettled.find(({ spans }) => spans.length > 0)?.queuedAt ?? null;
  }

  /** Whether a batch was taken ahead. */
  get isAhead(): boolean {
    return this.#ahead !== null;
  }

  async next(): Promise<SpanBatch> {
    const batch = await (this.#ahead ?? this.#take());
    const isNextFull = batch.isFull === true && this.#queue.size >= batch.spans.length;
    this.#ahead = isNextFull ? this.#takeAhead() : null;
    return batch;
  }

  /** The oldest batch that was taken is where it belongs. */
  settle(): void {
    this.#unsettled.shift();
    this.#queue.settle();
  }

  async #takeAhead(): Promise<SpanBatch> {
    const batch = await this.#take();
    if (batch.spans.length > 0) this.#sink.prepare?.(batch.spans);
    return batch;
  }

  async #take(): Promise<SpanBatch> {
    const batch = await this.#queue.take(this.#maxSpans);
    if (batch.isHeldUp !== true) this.#unsettled.push(batch);
    return batch;
  }
}
