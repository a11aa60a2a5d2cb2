import { METRICS } from '#semconv/metrics';
import type { RunStatus, Stage } from '#semconv/vocabulary';
import { DASHBOARD_LINKS } from './dashboard-links.ts';
import type { Pace } from './pace.ts';
import { by, latest, series, since } from './promql.ts';
import type { AlertRule } from './rule.ts';
import {
  LONG_STEPS,
  PATIENT_RETRIES,
  PROMPT_RETRIES,
  SHORT_STEPS,
  TOLD_SECONDS,
  TOO_LONG_SECONDS,
} from './thresholds.ts';

const run = METRICS.runInit.labels;
const BEFORE_GFS = ['created', 'seeding'] as const satisfies readonly RunStatus[];
/** Ends of the validator's own making or of its data. That all miners fail is told by the alerts about miners. */
const WITHOUT_SCORES = ['failed', 'stale_abandoned'] as const satisfies readonly RunStatus[];
const BEFORE_VERIFICATION = ['inference_requested', 'inference_running'] as const satisfies readonly Stage[];

const oldestStep = (steps: typeof SHORT_STEPS | typeof LONG_STEPS): string =>
  since(by('max', ['step'], series(METRICS.oldestStepInProgress, { step: steps })));
const oldestRetry = (steps: typeof PROMPT_RETRIES | typeof PATIENT_RETRIES): string =>
  since(by('max', ['step'], series(METRICS.oldestRetryDue, { step: steps })));
const statusAge = (statuses: readonly RunStatus[]): string =>
  since(by('max', run, series(METRICS.runStatusSince, { run_status: statuses })));

/**
 * Alerts about what blocks a run. Their "since" series are absent while nothing waits, so the alerts resolve with them;
 * absence because no process reads the tables is a separate alert.
 */
export const runAlerts = (pace: Pace): readonly AlertRule[] => [...blockedAlerts(pace), ...dataAlerts(pace)];

/** Steps, forecasts and retries that do not go on. */
const blockedAlerts = ({ seconds, held }: Pace): readonly AlertRule[] => [
  {
    alert: 'BarographStuckStep',
    expr: `(${oldestStep(SHORT_STEPS)} > ${seconds(TOO_LONG_SECONDS.shortStep)})
or (${oldestStep(LONG_STEPS)} > ${seconds(TOO_LONG_SECONDS.longStep)})`,
    for: held('2m'),
    severity: 'page',
    summary: 'A {{ $labels.step }} step has been running for {{ $value | humanizeDuration }}',
    description:
      'It should have ended or timed out long ago. It holds up the forecast of a miner and keeps a worker busy.',
    dashboard: DASHBOARD_LINKS.runs,
  },
  {
    alert: 'BarographStuckForecasts',
    expr: `${by('sum', run, latest(series(METRICS.runForecasts, { stage: BEFORE_VERIFICATION })))} > 0
and on (${run.join(', ')}) ${statusAge(['awaiting_results'])} > ${seconds(TOO_LONG_SECONDS.inference)}`,
    for: held('10m'),
    severity: 'page',
    summary:
      '{{ $value }} forecasts of run {{ $labels.run_id }} of validator {{ $labels.validator_id }} never finished',
    description:
      'Their polls must be used up by now, so each should be verified or failed. No worker processes them: they stay without a score.',
    dashboard: DASHBOARD_LINKS.run,
  },
  {
    alert: 'BarographOverdueRetry',
    expr: `(${oldestRetry(PROMPT_RETRIES)} > ${seconds(TOO_LONG_SECONDS.promptRetry)})
or (${oldestRetry(PATIENT_RETRIES)} > ${seconds(TOO_LONG_SECONDS.patientRetry)})`,
    for: held('5m'),
    severity: 'page',
    summary: 'A retry of {{ $labels.step }} has been overdue for {{ $value | humanizeDuration }}',
    description:
      'No worker claims it. Retries of early steps lose their forecast when the two hours of the manifest freeze are over.',
    dashboard: DASHBOARD_LINKS.runs,
  },
];

/** GFS and ERA5 that are late, and runs that ended without them. */
const dataAlerts = ({ seconds, held }: Pace): readonly AlertRule[] => [
  {
    alert: 'BarographGfsLate',
    expr: `${statusAge(BEFORE_GFS)} > ${seconds(TOO_LONG_SECONDS.gfs)}`,
    for: held('5m'),
    severity: 'page',
    summary:
      'Run {{ $labels.run_id }} of validator {{ $labels.validator_id }} has waited {{ $value | humanizeDuration }} for GFS',
    description:
      'No miner is queried before GFS is available. Two hours after its creation the run accepts no manifest any more: GFS has to come well before that.',
    dashboard: DASHBOARD_LINKS.run,
  },
  {
    alert: 'BarographRunFailed',
    expr: `${since(by('max', METRICS.runUnfinished.labels, series(METRICS.runUnfinished, { run_status: WITHOUT_SCORES })))} < ${seconds(TOLD_SECONDS)}`,
    for: held('0s'),
    severity: 'ticket',
    summary:
      'Run {{ $labels.run_id }} of validator {{ $labels.validator_id }} ended {{ $labels.run_status }}',
    description:
      'Its forecasts that were open ended with it, and none of them counts for its miner. Nothing is tried again; the alert ends a day after the run.',
    dashboard: DASHBOARD_LINKS.run,
  },
  {
    alert: 'BarographTruthLate',
    expr: `${since(by('max', METRICS.oldestTruthDue.labels, series(METRICS.oldestTruthDue)))} > ${seconds(TOO_LONG_SECONDS.truth)}`,
    for: held('15m'),
    severity: 'ticket',
    summary:
      'Truth of run {{ $labels.run_id }} of validator {{ $labels.validator_id }} is late by {{ $value | humanizeDuration }}',
    description:
      'The label score_type says which ({{ $labels.score_type }}): day1 waits for the GFS analysis, era5 for ERA5. No miner is at fault and no attempt is used up. Scores of the lead come later; they are given up 30 days after its valid time.',
    dashboard: DASHBOARD_LINKS.run,
  },
];
