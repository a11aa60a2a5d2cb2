import type { SpanSink } from '#exporters/export-report';
import type { DeliveryContext } from '#processor/deliver-batch';
import { ManualScheduler } from '../manual-scheduler.ts';

/** A delivery to a sink without timeout, jitter or waiting between attempts, unless changed. */
export const deliveryTo = (sink: SpanSink, changes: Partial<DeliveryContext> = {}): DeliveryContext => ({
  sink,
  scheduler: new ManualScheduler(),
  random: () => 1,
  backoff: { firstMillis: 1, maxMillis: 1 },
  exportTimeoutMillis: null,
  signal: new AbortController().signal,
  isStopped: () => false,
  onRetry: () => undefined,
  pause: () => Promise.resolve(),
  ...changes,
});
