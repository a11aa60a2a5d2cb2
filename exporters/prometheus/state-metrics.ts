import type { OpenRun, PipelineState, TruthWait, Validator } from '#facts/pipeline-state';
import type { EpochMicros } from '#facts/step-fact';
import { DEAD_LETTER_REASONS, SCORE_TYPES, STEP_NAMES, type StepName } from '#semconv';
import type { GaugeDefinition } from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import type { OverflowListener } from './named-counts.ts';
import type { Clocks } from './recorder-metrics.ts';
import type { MetricRegistry, Sample } from './registry.ts';
import type { Labels } from './sample-line.ts';
import { isShowableIdentity, type SeriesLimits } from './series-budget.ts';

/** Age after which a read state is exposed no more: an outdated state misleads, an absent one raises an alert. */
const STALE_AFTER_MILLIS = 60_000;

/** Gauges of the pipeline's state. */
export interface StateMetrics {
  /** Exposes the state as just read; null removes it. */
  show(state: PipelineState | null): void;
}

export interface StateMetricsOptions extends Pick<SeriesLimits, 'maxRuns' | 'maxValidators'> {
  readonly onOverflow: OverflowListener;
  readonly clocks: Clocks;
}

/** The exposed state: the runs within the budget, and the number of those beyond it. */
interface ShownState extends PipelineState {
  readonly runs: readonly OpenRun[];
  readonly runsOverflowed: number;
  readonly shownAtMillis: number;
}

type Gauges = <Label extends LabelName>(
  definition: GaugeDefinition<Label>,
  read: (state: ShownState) => Iterable<Sample<Label>>,
) => void;

/**
 * Registers the gauges of the pipeline's state. Counts by step and by reason are 0, not absent, where there is nothing,
 * so that an alert can tell "none" from "unknown"; instants are absent then.
 */
export function createStateMetrics(registry: MetricRegistry, options: StateMetricsOptions): StateMetrics {
  const { maxRuns, maxValidators, onOverflow, clocks } = options;
  let shown: ShownState | null = null;
  const gauges: Gauges = (definition, read) =>
    registry.derived(definition, () => {
      const isFresh = shown !== null && clocks.monotonic() - shown.shownAtMillis <= STALE_AFTER_MILLIS;
      return shown !== null && isFresh ? read(shown) : [];
    });
  gauges(METRICS.validators, (state) => validatorSamples(state.validators, maxValidators));
  registerRuns(gauges);
  gauges(METRICS.runUnfinished, (state) => unfinishedSamples(state, maxValidators));
  registerSteps(gauges);
  registerRecords(gauges);
  registry.derived(METRICS.stateRead, () => instant({}, shown?.readAt));

  return {
    show: (state) => {
      shown =
        state === null
          ? null
          : { ...state, ...admit(state.openRuns, maxRuns), shownAtMillis: clocks.monotonic() };
      if (shown !== null && shown.runsOverflowed > 0) onOverflow('run_id', shown.runsOverflowed);
    },
  };
}

function registerRuns(gauges: Gauges): void {
  gauges(METRICS.runForecasts, ({ runs }) =>
    runs.flatMap((run) =>
      run.forecasts.map(({ stage, stageStatus, forecasts }) => ({
        labels: { ...labelsOf(run), stage, stage_status: stageStatus },
        value: forecasts,
      })),
    ),
  );
  gauges(METRICS.runStatusSince, ({ runs }) =>
    runs.flatMap((run) =>
      run.status === null ? [] : instant({ ...labelsOf(run), run_status: run.status }, run.statusSince),
    ),
  );
  gauges(METRICS.runInit, ({ runs }) => runs.flatMap((run) => instant(labelsOf(run), run.initTime)));
  gauges(METRICS.leadsWaitingForTruth, ({ runs }) =>
    byScore(runs, (labels, { leads }) => [{ labels, value: leads }]),
  );
  gauges(METRICS.oldestTruthDue, ({ runs }) =>
    byScore(runs, (labels, { oldestDue }) => instant(labels, oldestDue)),
  );
  gauges(METRICS.runsOverflowed, ({ runsOverflowed }) => [{ labels: {}, value: runsOverflowed }]);
}

function registerSteps(gauges: Gauges): void {
  const byStep = (value: (step: StepName) => number): Sample<'step'>[] =>
    STEP_NAMES.map((step) => ({ labels: { step }, value: value(step) }));
  const instants = (at: (step: StepName) => EpochMicros | null | undefined): Sample<'step'>[] =>
    STEP_NAMES.flatMap((step) => instant({ step }, at(step)));
  gauges(METRICS.stepsInProgress, (state) => byStep((step) => state.stepsInProgress[step]?.steps ?? 0));
  gauges(METRICS.oldestStepInProgress, (state) =>
    instants((step) => state.stepsInProgress[step]?.oldestStart),
  );
  gauges(METRICS.retriesScheduled, (state) => byStep((step) => state.retries[step]?.scheduled ?? 0));
  gauges(METRICS.retriesOverdue, (state) => byStep((step) => state.retries[step]?.overdue ?? 0));
  gauges(METRICS.oldestRetryDue, (state) => instants((step) => state.retries[step]?.oldestDue));
}

function registerRecords(gauges: Gauges): void {
  gauges(METRICS.deadLetters, ({ deadLetters }) =>
    DEAD_LETTER_REASONS.map((reason) => ({ labels: { reason }, value: deadLetters[reason] ?? 0 })),
  );
  gauges(METRICS.missingRecords, ({ missingRecords }) => [{ labels: {}, value: missingRecords }]);
  gauges(METRICS.conflictingEmitters, ({ conflictingEmitters }) => [
    { labels: {}, value: conflictingEmitters },
  ]);
}

const labelsOf = ({
  validatorId,
  runId,
}: Pick<OpenRun, 'validatorId' | 'runId'>): Labels<'validator_id' | 'run_id'> => ({
  validator_id: String(validatorId),
  run_id: String(runId),
});

type ScoreLabel = 'validator_id' | 'run_id' | 'score_type';

/** The samples of each run and score. */
const byScore = (
  runs: readonly OpenRun[],
  samples: (labels: Labels<ScoreLabel>, wait: TruthWait) => Sample<ScoreLabel>[],
): Sample<ScoreLabel>[] =>
  runs.flatMap((run) =>
    SCORE_TYPES.flatMap((type) => samples({ ...labelsOf(run), score_type: type }, run.truthWaits[type])),
  );

/** An instant as seconds since 1970; no sample where there is none. */
const instant = <Label extends LabelName>(
  labels: Labels<Label>,
  micros: EpochMicros | null | undefined,
): Sample<Label>[] => (micros == null ? [] : [{ labels, value: micros / 1e6 }]);

function validatorSamples(
  validators: readonly Validator[],
  limit: number,
): Sample<'validator_id' | 'validator_hotkey'>[] {
  return validators
    .filter(({ hotkey }) => isShowableIdentity(hotkey))
    .slice(0, limit)
    .map(({ id, hotkey }) => ({ labels: { validator_id: String(id), validator_hotkey: hotkey }, value: 1 }));
}

/** At most one run for each validator within the budget and each status. */
function unfinishedSamples(
  { validators, unfinishedRuns }: PipelineState,
  limit: number,
): Sample<'validator_id' | 'run_id' | 'run_status'>[] {
  const admitted = new Set(validators.slice(0, limit).map(({ id }) => id));
  return unfinishedRuns
    .filter(({ validatorId }) => admitted.has(validatorId))
    .flatMap((run) => instant({ ...labelsOf(run), run_status: run.status }, run.endedAt));
}

/** Selects the newest runs, round-robin over the validators, so that no validator crowds out another. */
function admit(openRuns: readonly OpenRun[], limit: number): Pick<ShownState, 'runs' | 'runsOverflowed'> {
  const seen = new Map<number, number>();
  const ranked = [...openRuns]
    .sort((a, b) => b.runId - a.runId)
    .map((run) => {
      const rank = seen.get(run.validatorId) ?? 0;
      seen.set(run.validatorId, rank + 1);
      return { run, rank };
    })
    .sort((a, b) => a.rank - b.rank || a.run.validatorId - b.run.validatorId);
  const runs = ranked.slice(0, limit).map(({ run }) => run);
  return { runs, runsOverflowed: openRuns.length - runs.length };
}
