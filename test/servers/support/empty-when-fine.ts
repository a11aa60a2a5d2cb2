import { METRICS, type MetricKey } from '../../../src/semconv/metrics.ts';

/** Metrics without any series in a run in which nothing goes wrong, and why. Panels of these alone may be empty. */
const REASONS: Readonly<Partial<Record<MetricKey, string>>> = {
  oldestRetryDue: 'no retry is overdue',
  deadLetters: 'nothing was refused',
  recorderDropped: 'nothing was dropped',
  recorderRejected: 'nothing was refused',
  adjustedValues: 'every value was kept as it was told',
};

/** The same by name. */
export const EMPTY_WHEN_FINE: ReadonlyMap<string, string> = new Map(
  Object.entries(REASONS).map(([key, reason]) => [METRICS[key as MetricKey].name, reason]),
);
