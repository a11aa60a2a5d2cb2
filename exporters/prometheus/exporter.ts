import type { CommittedMinerStats, MinerStatsRead } from '#facts/miner-stats';
import type { PipelineState } from '#facts/pipeline-state';
import type { StepFact } from '#facts/step-fact';
import { BUDGETED_LABELS } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import { MinerMirror } from './miner-mirror.ts';
import {
  createRecorderMetrics,
  SYSTEM_CLOCKS,
  type Clocks,
  type RecorderMetrics,
  type RecorderState,
} from './recorder-metrics.ts';
import { createRegistry } from './registry.ts';
import { DEFAULT_SERIES_LIMITS, type SeriesLimits } from './series-budget.ts';
import { createStateMetrics } from './state-metrics.ts';
import { createStepMetrics } from './step-metrics.ts';
import { negotiateFormat } from './text-format.ts';

/** What one commit changed. */
export interface CommittedBatch {
  /** Finished steps that were new to the log, each exactly once. */
  readonly steps: readonly StepFact[];
  /** Rows of `miner_stats` that changed, as they now are. */
  readonly minerStats: readonly CommittedMinerStats[];
  /** Rows written, by table. */
  readonly rows?: Readonly<Record<string, number>>;
  /** Spans refused, by reason. */
  readonly rejected?: Readonly<Record<string, number>>;
}

export interface PrometheusExporterOptions {
  readonly recorderState: () => RecorderState;
  readonly limits?: Partial<SeriesLimits>;
  readonly clocks?: Clocks;
}

/** The second sink of the facts: it shows what was committed, and only that. */
export interface PrometheusExporter {
  /** Takes what a commit changed. In memory and synchronous; called in the order of the commits. */
  observe(committed: CommittedBatch): void;
  /** Takes the whole of `miner_stats`: from now on nothing else is shown, whatever was before. */
  seed(rows: readonly CommittedMinerStats[]): void;
  /**
   * Takes up what other processes committed to `miner_stats`, from a reading of all its miners that are still there;
   * the drift then counts the rows that were shown wrongly. Rows observed since they were read are kept.
   */
  refresh(read: MinerStatsRead): void;
  /** Shows the state of the pipeline as it was just read; it goes when no other follows for a minute. */
  showState(state: PipelineState | null): void;
  /** All metrics as text, in the format that the Accept header of the scrape asks for. */
  render(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The observer of batches; `withBatchMetrics` calls it for a sink. */
  readonly recorder: Pick<RecorderMetrics, 'startBatch'>;
}

/**
 * Creates a Prometheus exporter with a registry of its own, so that two exporters share nothing. It shows committed
 * facts only. Metrics are in base units (seconds, bytes); series beyond a budget go to one overflow series.
 *
 * @example
 * ```ts
 * import { createPrometheusExporter } from 'barograph';
 *
 * const metrics = createPrometheusExporter({
 *   recorderState: () => ({ queueLength: 0, oldestAgeMillis: null, dropped: {} }),
 * });
 * const { contentType, body } = await metrics.render('text/plain');
 * ```
 */
export function createPrometheusExporter(options: PrometheusExporterOptions): PrometheusExporter {
  const { maxMiners, maxNames, ...stateLimits } = { ...DEFAULT_SERIES_LIMITS, ...options.limits };
  const registry = createRegistry();
  const overflow = registry.counter(METRICS.overflow);
  for (const label of BUDGETED_LABELS) overflow.add({ label }, 0);
  const onOverflow = (label: (typeof BUDGETED_LABELS)[number], count: number): void =>
    overflow.add({ label }, count);

  const mirror = new MinerMirror(registry, maxMiners, { onOverflow });
  const steps = createStepMetrics(registry, maxNames, { onOverflow });
  const { recorderState, clocks = SYSTEM_CLOCKS } = options;
  const recorder = createRecorderMetrics(registry, { recorderState, maxNames, onOverflow, clocks });
  const state = createStateMetrics(registry, { ...stateLimits, onOverflow, clocks });
  return {
    observe: (committed) => {
      mirror.update(committed.minerStats);
      committed.steps.forEach((fact) => steps.observe(fact));
      recorder.committed(committed);
    },
    seed: (rows) => mirror.replace(rows),
    refresh: (read) => mirror.refresh(read),
    showState: (read) => state.show(read),
    render: (accept) => registry.render(negotiateFormat(accept)),
    recorder,
  };
}
