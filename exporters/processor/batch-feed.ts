import type { SpanSink } from '../export-report.ts';
import type { SpanBatch, SpanQueue } from './span-queue.ts';

/**
 * Takes batches from a queue in order, with a prefetch of one: while a full batch is delivered, the next full one is taken
 * and prepared by the sink. A smaller one may still grow and stays queued.
 */
export class BatchFeed {
  readonly #queue: SpanQueue;
  readonly #sink: SpanSink;
  readonly #maxSpans: number;
  readonly #unsettled: SpanBatch[] = [];
  #ahead: Promise<SpanBatch> | null = null;

  /** @param maxSpans largest number of spans in a batch */
  constructor(queue: SpanQueue, sink: SpanSink, maxSpans: number) {
    this.#queue = queue;
    this.#sink = sink;
    this.#maxSpans = maxSpans;
  }

  /** Spans that are in flight: taken and not settled. */
  get size(): number {
    return this.#unsettled.reduce((sum, { spans }) => sum + spans.length, 0);
  }

  /** Arrival of the oldest of them, ms; null when there is none. */
  get oldestQueuedAt(): number | null {
    return this.#unsettled.find(({ spans }) => spans.length > 0)?.queuedAt ?? null;
  }

  /** Whether a batch was prefetched. */
  get isAhead(): boolean {
    return this.#ahead !== null;
  }

  async next(): Promise<SpanBatch> {
    const batch = await (this.#ahead ?? this.#take());
    const isNextFull = batch.isFull === true && this.#queue.size >= batch.spans.length;
    this.#ahead = isNextFull ? this.#takeAhead() : null;
    return batch;
  }

  /** Acknowledges the oldest batch that was taken. */
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
