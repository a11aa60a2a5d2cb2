import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { BatchFeed } from './batch-feed.ts';
import { deliverBatch, type DeliveryContext } from './deliver-batch.ts';
import { FlushWaiters } from './flush-waiters.ts';
import { MemoryQueue } from './memory-queue.ts';
import { toObservedSpan, type SdkSpan } from './observed-span.ts';
import {
  DEFAULT_OPTIONS,
  type CompleteOptions,
  type ProcessorCounters,
  type RecordingSpanProcessorOptions,
} from './processor-options.ts';
import { STEP_NAME } from './recording-sampler.ts';
import { DROP_REASONS, type DropReason, type SpanQueue } from './span-queue.ts';

/** Cap of the backoff while a flush is pending, ms. */
const FLUSH_PAUSE_MILLIS = 250;

/**
 * Exports every step at its start and at its end: in order, one export in flight, with retries until the batch is written.
 * It never blocks or fails a step; what it cannot queue is dropped and counted by reason.
 *
 * @example
 * ```ts
 * import { RecordingSpanProcessor, type SpanSink } from 'barograph';
 *
 * const counting: SpanSink = {
 *   export: (spans) => {
 *     console.log(`${spans.length} spans`);
 *     return Promise.resolve({ kind: 'written' });
 *   },
 * };
 * const processor = new RecordingSpanProcessor({ sink: counting, maxBatchSize: 500, delayMillis: 50 });
 * await processor.shutdown();
 * ```
 */
export class RecordingSpanProcessor implements SpanProcessor {
  readonly #options: CompleteOptions;
  readonly #queue: SpanQueue;
  readonly #feed: BatchFeed;
  readonly #flushes = new FlushWaiters();
  readonly #abort = new AbortController();
  readonly #dropped = new Map<DropReason, number>();
  #exported = 0;
  #retries = 0;
  #timer: { readonly cancel: () => void; readonly isUrgent: boolean } | null = null;
  #isPumping = false;
  #endPause: (() => void) | null = null;
  #shutdown: Promise<void> | null = null;

  constructor(options: RecordingSpanProcessorOptions) {
    this.#options = { ...DEFAULT_OPTIONS, ...options };
    const { queue = () => new MemoryQueue(this.#options.maxQueueSize) } = options;
    this.#queue = queue({
      dropped: (reason, spans) => {
        this.#drop(reason, spans);
        this.#flushes.settle(spans);
      },
      added: (spans) => {
        this.#flushes.accept(spans);
        this.#wake();
      },
    });
    this.#feed = new BatchFeed(this.#queue, this.#options.sink, this.#options.maxBatchSize);
  }

  onStart(span: SdkSpan): void {
    this.#accept(span, 'started');
  }

  onEnd(span: SdkSpan): void {
    this.#accept(span, 'ended');
  }

  /** A snapshot of the counters. */
  get counters(): ProcessorCounters {
    const oldest = this.#feed.oldestQueuedAt ?? this.#queue.oldestQueuedAt;
    const dropped = DROP_REASONS.map((reason) => [reason, this.#dropped.get(reason) ?? 0] as const);
    return {
      queued: this.#waiting,
      exported: this.#exported,
      dropped: Object.fromEntries(dropped) as Record<DropReason, number>,
      retries: this.#retries,
      oldestAgeMillis: oldest === null ? 0 : this.#options.scheduler.now() - oldest,
    };
  }

  /**
   * Waits until all spans queued at the call have left, up to the deadline.
   *
   * @throws Error when some are still queued at the deadline; they stay queued and are retried
   */
  async forceFlush(): Promise<void> {
    if (await this.#drain()) return;
    const { flushTimeoutMillis } = this.#options;
    throw new Error(
      `${this.#waiting} spans were not exported within ${flushTimeoutMillis} ms; they stay queued and are retried`,
    );
  }

  /**
   * Stops intake, unless the queue is durable, and waits like `forceFlush`; what is left at the deadline is dropped and
   * counted. Idempotent.
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#drain().then(() => {
      this.#abort.abort();
      this.#endPause?.();
      this.#timer?.cancel();
      const lost = this.#queue.close();
      this.#drop('shutdown_deadline', lost);
      this.#flushes.settle(lost);
    });
    return this.#shutdown;
  }

  get #waiting(): number {
    return this.#queue.size + (this.#isStopped() ? 0 : this.#feed.size);
  }

  #accept(span: SdkSpan, phase: 'started' | 'ended'): void {
    try {
      if (span.attributes[STEP_NAME] === undefined) return;
      if (this.#shutdown === null || this.#queue.isDurable === true) this.#enqueue(span, phase);
      else this.#drop('after_shutdown', 1);
    } catch {
      this.#drop('unreadable', 1);
    }
  }

  #enqueue(span: SdkSpan, phase: 'started' | 'ended'): void {
    const pushed = this.#queue.push(toObservedSpan(span, phase), this.#options.scheduler.now());
    if (pushed === 'queued') this.#flushes.accept();
    else if (pushed !== 'merged') this.#drop(pushed, 1);
    this.#wake();
  }

  #drop(reason: DropReason, spans: number): void {
    if (spans > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + spans);
  }

  /** Schedules an export after the linger time, or at once when a batch is full, has lingered, or a flush is pending. */
  #wake(): void {
    if (this.#isPumping || this.#isStopped() || this.#queue.size === 0) return;
    const isUrgent = this.#isUrgent;
    if (this.#timer !== null && (this.#timer.isUrgent || !isUrgent)) return;
    this.#timer?.cancel();
    const { scheduler, delayMillis } = this.#options;
    const keepsProcessAlive = this.#flushes.isAwaited;
    const pump = (): void => void this.#pump();
    const cancel = scheduler.schedule(isUrgent ? 0 : delayMillis, pump, { keepsProcessAlive });
    this.#timer = { cancel, isUrgent };
  }

  get #isUrgent(): boolean {
    return this.#queue.size >= this.#options.maxBatchSize || this.#flushes.isAwaited || this.#hasLingered;
  }

  /** Whether the oldest span has waited for the linger time, as behind a batch that took longer to write. */
  get #hasLingered(): boolean {
    const { oldestQueuedAt } = this.#queue;
    const { scheduler, delayMillis } = this.#options;
    return oldestQueuedAt !== null && scheduler.now() - oldestQueuedAt >= delayMillis;
  }

  /** Exports batch after batch while that is urgent; a partial batch that is young lingers again. */
  async #pump(): Promise<void> {
    this.#timer = null;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while ((this.#queue.size > 0 || this.#feed.isAhead) && !this.#isStopped()) {
      const batch = await this.#feed.next();
      if (batch.spans.length === 0) {
        this.#feed.settle();
        if (this.#queue.size > 0) await this.#pause(this.#options.backoff.firstMillis);
        continue;
      }
      const end = await deliverBatch(batch, this.#delivery());
      if (end.kind === 'given_up' || this.#isStopped()) break;
      this.#feed.settle();
      this.#exported += end.kept;
      this.#drop('rejected', end.rejected);
      this.#flushes.settle(batch.spans.length);
      if (!this.#isUrgent && !this.#feed.isAhead) break;
    }
    this.#isPumping = false;
    this.#wake();
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  #delivery(): DeliveryContext {
    const { sink, scheduler, random, backoff, exportTimeoutMillis = null } = this.#options;
    return {
      sink,
      scheduler,
      random,
      backoff,
      exportTimeoutMillis,
      signal: this.#abort.signal,
      isStopped: () => this.#isStopped(),
      onRetry: () => (this.#retries += 1),
      pause: (delayMillis) => this.#pause(delayMillis),
    };
  }

  /** Backoff between two attempts; a flush ends the wait and caps the following ones. */
  #pause(delayMillis: number): Promise<void> {
    if (this.#isStopped()) return Promise.resolve();
    const { isAwaited } = this.#flushes;
    const delay = isAwaited ? Math.min(delayMillis, FLUSH_PAUSE_MILLIS) : delayMillis;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#endPause = null;
        resolve();
      };
      const cancel = this.#options.scheduler.schedule(delay, end, { keepsProcessAlive: isAwaited });
      this.#endPause = end;
    });
  }

  #drain(): Promise<boolean> {
    const { scheduler, flushTimeoutMillis } = this.#options;
    const drained = this.#flushes.wait(scheduler, flushTimeoutMillis);
    this.#endPause?.();
    this.#wake();
    return drained;
  }
}
