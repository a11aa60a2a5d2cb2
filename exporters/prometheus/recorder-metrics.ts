import { BATCH_RESULTS, type BatchResult } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import { NamedCounts, type CountsByName, type OverflowListener } from './named-counts.ts';
import type { MetricRegistry, Sample } from './registry.ts';

/** The state of the recorder. Every scrape reads it, so reading must be cheap. */
export interface RecorderState {
  /** Spans that wait to be recorded. */
  readonly queueLength: number;
  /** Null when none waits. */
  readonly oldestAgeMillis: number | null;
  /** Spans lost since the start, by reason. A reason with 0 makes the first loss show as an increase. */
  readonly dropped: CountsByName;
  /** Spans rejected before they reached a batch, since the start, by reason. */
  readonly rejected?: CountsByName;
  readonly spoolBytes?: number;
  readonly spoolLimitBytes?: number;
  /** Of the spools that were set aside because they cannot be read. */
  readonly spoolUnreadableBytes?: number;
}

/** Clocks, injected so that tests control time. */
export interface Clocks {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
}

export const SYSTEM_CLOCKS: Clocks = { now: () => Date.now(), monotonic: () => performance.now() };

/** Metrics of the recorder's work. */
export interface RecorderMetrics {
  /** Starts timing a batch. The returned function finishes it with the result; later calls are ignored. */
  startBatch(): (result: BatchResult) => void;
  /** Counts rows written, by table, and spans rejected, by reason, of one commit. */
  committed(batch: { readonly rows?: CountsByName; readonly rejected?: CountsByName }): void;
}

export interface RecorderMetricsOptions {
  readonly recorderState: () => RecorderState;
  readonly maxNames: number;
  readonly onOverflow: OverflowListener;
  readonly clocks: Clocks;
}

/** Registers the recorder's own metrics: its queue, its losses, its batches. */
export function createRecorderMetrics(
  registry: MetricRegistry,
  options: RecorderMetricsOptions,
): RecorderMetrics {
  const { maxNames, onOverflow, recorderState } = options;
  const startBatch = registerBatches(registry, options.clocks);
  const rows = new NamedCounts('table', maxNames, { onOverflow });
  const rejected = new NamedCounts('reason', maxNames, { onOverflow });
  const dropped = new NamedCounts('reason', maxNames, { onOverflow });

  registerState(registry, recorderState);
  registry.derived(METRICS.recorderRowsWritten, () => toSamples('table', rows.totals()));
  registry.derived(METRICS.recorderDropped, () =>
    toSamples('reason', dropped.relabel(recorderState().dropped)),
  );
  registry.derived(METRICS.recorderRejected, () => [
    ...toSamples('reason', rejected.totals()),
    ...toSamples('reason', rejected.relabel(recorderState().rejected ?? {})),
  ]);

  return {
    startBatch,
    committed: (batch) => {
      rows.add(batch.rows ?? {});
      rejected.add(batch.rejected ?? {});
    },
  };
}

function registerState(registry: MetricRegistry, recorderState: () => RecorderState): void {
  const oldestAge = (): number | null => {
    const millis = recorderState().oldestAgeMillis;
    return millis === null ? null : millis / 1e3;
  };
  registry.derived(METRICS.recorderQueueLength, () => single(recorderState().queueLength));
  registry.derived(METRICS.recorderOldestAge, () => single(oldestAge()));
  registry.derived(METRICS.recorderSpoolBytes, () => single(recorderState().spoolBytes));
  registry.derived(METRICS.recorderSpoolLimit, () => single(recorderState().spoolLimitBytes));
  registry.derived(METRICS.recorderSpoolUnreadable, () => single(recorderState().spoolUnreadableBytes));
}

function registerBatches(registry: MetricRegistry, clocks: Clocks): RecorderMetrics['startBatch'] {
  const batches = registry.counter(METRICS.recorderBatches);
  const durations = registry.histogram(METRICS.recorderBatchDuration);
  let lastCommitSeconds: number | null = null;
  registry.derived(METRICS.recorderLastCommit, () => single(lastCommitSeconds));
  for (const result of BATCH_RESULTS) batches.add({ result }, 0);

  return () => {
    const startedAt = clocks.monotonic();
    let isFinished = false;
    return (result) => {
      if (isFinished) return;
      isFinished = true;
      batches.add({ result });
      durations.observe((clocks.monotonic() - startedAt) / 1e3, { result });
      if (result === 'written') lastCommitSeconds = clocks.now() / 1e3;
    };
  };
}

const single = (value: number | null | undefined): Sample<never>[] =>
  value == null ? [] : [{ labels: {}, value }];

function toSamples<Label extends 'reason' | 'table'>(
  label: Label,
  totals: Iterable<readonly [string, number]>,
): Sample<Label>[] {
  return [...totals].map(([name, value]) => ({ labels: { [label]: name } as Record<Label, string>, value }));
}
