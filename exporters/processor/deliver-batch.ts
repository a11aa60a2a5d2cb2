import type { ExportOptions, ExportReport, SpanSink } from '../export-report.ts';
import { backoffMillis, type BackoffPolicy } from './processor-options.ts';
import type { Scheduler } from '#lifecycle/scheduler';
import type { SpanBatch } from './span-queue.ts';

/** Collaborators of a delivery, and the signals that end it. */
export interface DeliveryContext {
  readonly sink: SpanSink;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly backoff: BackoffPolicy;
  /** Timeout of one attempt, ms; null for none. */
  readonly exportTimeoutMillis: number | null;
  /** Aborted at shutdown. */
  readonly signal: AbortSignal;
  readonly isStopped: () => boolean;
  /** Called for each failed attempt that will be retried. */
  readonly onRetry: () => void;
  /** Lets a waiting flush shorten the pause before the next attempt. */
  readonly pause: (delayMillis: number) => Promise<void>;
}

/** Outcome of a batch. `kept` spans were written or became dead letters; `rejected` ones could be neither and are lost. */
export type Delivered =
  | { readonly kind: 'settled'; readonly kept: number; readonly rejected: number }
  | { readonly kind: 'given_up' };

/** Half-open range of a batch: `from` is included, `to` is not. */
interface Slice {
  readonly batch: SpanBatch;
  readonly from: number;
  readonly to: number;
}

/**
 * Delivers a batch with retries, and isolates poison spans by bisection: a rejected batch is halved until the faulty span is
 * alone, which becomes a dead letter. All others are written in as few exports as possible.
 */
export function deliverBatch(batch: SpanBatch, delivery: DeliveryContext): Promise<Delivered> {
  return deliverSlice({ batch, from: 0, to: batch.spans.length }, delivery);
}

async function deliverSlice(slice: Slice, delivery: DeliveryContext): Promise<Delivered> {
  const { batch, from, to } = slice;
  const options = batch.account === undefined ? {} : { account: batch.account(from, to) };
  const isWhole = to - from === batch.spans.length;
  const spans = isWhole ? batch.spans : batch.spans.slice(from, to);
  const report = await retryUntilFinal(
    (more) => delivery.sink.export(spans, { ...options, ...more }),
    delivery,
  );
  if (report === 'given_up') return { kind: 'given_up' };
  if (report.kind === 'written') return { kind: 'settled', kept: to - from, rejected: 0 };
  if (to - from <= 1) return deadLetterSpan(slice, report.error, delivery);
  return deliverHalves(slice, delivery);
}

async function deliverHalves({ batch, from, to }: Slice, delivery: DeliveryContext): Promise<Delivered> {
  const middle = from + Math.ceil((to - from) / 2);
  const first = await deliverSlice({ batch, from, to: middle }, delivery);
  if (first.kind === 'given_up') return first;
  const second = await deliverSlice({ batch, from: middle, to }, delivery);
  if (second.kind === 'given_up') return second;
  return { kind: 'settled', kept: first.kept + second.kept, rejected: first.rejected + second.rejected };
}

/** A sink without dead letters loses the span, which is counted as rejected. */
async function deadLetterSpan(
  { batch, from, to }: Slice,
  error: unknown,
  delivery: DeliveryContext,
): Promise<Delivered> {
  const { sink } = delivery;
  const span = batch.spans[from];
  const lost: Delivered = { kind: 'settled', kept: 0, rejected: to - from };
  if (sink.writeDeadLetter === undefined || span === undefined) return lost;
  const writeDeadLetter = sink.writeDeadLetter.bind(sink, span, error);
  const options = batch.account === undefined ? {} : { account: batch.account(from, to) };
  const report = await retryUntilFinal((more) => writeDeadLetter({ ...options, ...more }), delivery);
  if (report === 'given_up') return { kind: 'given_up' };
  return report.kind === 'written' ? { kind: 'settled', kept: 1, rejected: 0 } : lost;
}

/** Retries with backoff, one attempt at a time, until the sink reports `written` or `rejected`. */
async function retryUntilFinal(
  send: (options: ExportOptions) => Promise<ExportReport>,
  delivery: DeliveryContext,
): Promise<Exclude<ExportReport, { readonly kind: 'retryable' }> | 'given_up'> {
  for (let attempt = 1; !delivery.isStopped(); attempt += 1) {
    const report = await attemptOnce(send, delivery);
    if (delivery.isStopped()) return 'given_up';
    if (report.kind !== 'retryable') return report;
    delivery.onRetry();
    await delivery.pause(backoffMillis(attempt, delivery.random(), delivery.backoff));
  }
  return 'given_up';
}

/** One attempt with a timeout. A sink that throws or times out counts as retryable. */
async function attemptOnce(
  send: (options: ExportOptions) => Promise<ExportReport>,
  delivery: DeliveryContext,
): Promise<ExportReport> {
  const controller = new AbortController();
  const giveUp = (): void => {
    controller.abort();
  };
  delivery.signal.addEventListener('abort', giveUp, { once: true });
  const { exportTimeoutMillis: limit } = delivery;
  const cancel =
    limit === null ? null : delivery.scheduler.schedule(limit, giveUp, { keepsProcessAlive: true });
  try {
    return await Promise.race([send({ signal: controller.signal }), aborted(controller.signal)]);
  } catch (error) {
    return { kind: 'retryable', error };
  } finally {
    cancel?.();
    delivery.signal.removeEventListener('abort', giveUp);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the export was aborted: it took too long')), {
      once: true,
    });
  });
}
