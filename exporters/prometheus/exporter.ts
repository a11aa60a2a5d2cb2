import type { CommittedMinerStats, MinerStatsRead } from '#facts/miner-stats';
import type { HeldPartition, PipelineState } from '#facts/pipeline-state';
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
import { createRetentionMetrics } from './retention-metrics.ts';
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
  /** Rejected spans, by reason. */
  readonly rejected?: Readonly<Record<string, number>>;
}

export interface PrometheusExporterOptions {
  readonly recorderState: () => RecorderState;
  readonly limits?: Partial<SeriesLimits>;
  readonly clocks?: Clocks;
}

/** The second sink of the facts. It exposes committed facts only, so it cannot disagree with the tables. */
export interface PrometheusExporter {
  /** Applies what a commit changed. In memory and synchronous; called in commit order. */
  observe(committed: CommittedBatch): void;
  /** Replaces all miners by the whole of `miner_stats`. */
  seed(rows: readonly CommittedMinerStats[]): void;
  /**
   * Merges what other processes committed to `miner_stats`, from a read of all miners that are not stale, and sets the
   * drift to the number of rows that were exposed wrongly. A row observed after the read's snapshot stays unchanged.
   * The metrics name the database of the newest read.
   */
  refresh(read: MinerStatsRead): void;
  /** Exposes the state of the pipeline as just read; it expires after a minute without another. Null removes it. */
  showState(state: PipelineState | null): void;
  /** Replaces the partitions that retention keeps for runs that have not ended. */
  showHeldPartitions(held: readonly HeldPartition[]): void;
  /** All metrics as text, in the format negotiated by the Accept header of the scrape. */
  render(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Counts and times batches; `withBatchMetrics` wraps a sink with it. */
  readonly recorder: Pick<RecorderMetrics, 'startBatch'>;
}

/**
 * Creates an exporter with a private registry; two exporters share no state.
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

  const { maxValidators } = stateLimits;
  const mirror = new MinerMirror(registry, { maxMiners, maxValidators }, { onOverflow });
  const steps = createStepMetrics(registry, maxNames, { onOverflow });
  const { recorderState, clocks = SYSTEM_CLOCKS } = options;
  const recorder = createRecorderMetrics(registry, { recorderState, maxNames, onOverflow, clocks });
  const state = createStateMetrics(registry, { ...stateLimits, onOverflow, clocks });
  let databaseId: string | undefined;
  registry.derived(METRICS.databaseInfo, () =>
    databaseId === undefined ? [] : [{ labels: { database_id: databaseId }, value: 1 }],
  );
  const retention = createRetentionMetrics(registry, { maxRuns: stateLimits.maxRuns, onOverflow });
  return {
    observe: (committed) => {
      mirror.update(committed.minerStats);
      committed.steps.forEach((fact) => steps.observe(fact));
      recorder.committed(committed);
    },
    seed: (rows) => mirror.replace(rows),
    refresh: (read) => {
      mirror.refresh(read);
      databaseId = read.databaseId;
    },
    showState: (read) => state.show(read),
    showHeldPartitions: (held) => retention.show(held),
    render: (accept) => registry.render(negotiateFormat(accept)),
    recorder,
  };
}
