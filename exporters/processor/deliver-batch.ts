import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { backoffMillis, type BackoffPolicy } from './backoff.ts';
import type { Scheduler } from './scheduler.ts';

/** What delivering needs, and who may end it. */
export interface Delivery {
  readonly sink: SpanSink;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly backoff: BackoffPolicy;
  /** How long one attempt may take, ms; null for no limit. */
  readonly exportTimeoutMillis: number | null;
  /** Aborted when everything is given up. */
  readonly signal: AbortSignal;
  readonly isStopped: () => boolean;
  /** Told of each attempt that failed and will be made again. */
  readonly onRetry: () => void;
  /** Lets a waiting flush shorten the pause before the next attempt. */
  readonly pause: (delayMillis: number) => Promise<void>;
}

/** Exports one batch until it is written, rejected, or given up; one attempt at a time. */
export async function deliverBatch(
  spans: readonly ObservedSpan[],
  delivery: Delivery,
): Promise<'written' | 'rejected' | 'given_up'> {
  for (let attempt = 1; ; attempt += 1) {
    const report = await exportOnce(spans, delivery);
    if (delivery.isStopped()) return 'given_up';
    if (report.kind !== 'retryable') return report.kind;
    delivery.onRetry();
    await delivery.pause(backoffMillis(attempt, delivery.random(), delivery.backoff));
    if (delivery.isStopped()) return 'given_up';
  }
}

/** One attempt. A sink that throws or takes too long is one that may be asked again. */
async function exportOnce(spans: readonly ObservedSpan[], delivery: Delivery): Promise<ExportReport> {
  const attempt = new AbortController();
  const giveUp = (): void => {
    attempt.abort();
  };
  delivery.signal.addEventListener('abort', giveUp, { once: true });
  const { exportTimeoutMillis: limit } = delivery;
  const cancel =
    limit === null ? null : delivery.scheduler.schedule(limit, giveUp, { keepsProcessAlive: true });
  try {
    return await Promise.race([
      delivery.sink.export(spans, { signal: attempt.signal }),
      aborted(attempt.signal),
    ]);
  } catch (error) {
    return { kind: 'retryable', error };
  } finally {
    cancel?.();
    delivery.signal.removeEventListener('abort', giveUp);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the export was given up: it took too long')), {
      once: true,
    });
  });
}
