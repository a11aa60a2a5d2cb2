import type { ALERTS } from '#dashboards/rules/alerts';

/** A firing alert at an instant. */
export interface Firing {
  /** Since the start of the series, as a duration of Prometheus. */
  readonly at: string;
  /** Labels apart from the severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** The value as the summary writes it; of no meaning where it does not. */
  readonly value?: string;
}

/** Series over time, and when an alert on them fires. */
export interface RuleCase {
  readonly alert: (typeof ALERTS)[number]['alert'];
  /** What happens, as the end of a sentence that begins with the alert. */
  readonly title: string;
  /** Between two values of a series, and between two evaluations. */
  readonly interval?: string;
  /** Values by series in the notation of promtool: `0+1x5` counts to five, `_` is nothing, `stale` the end. */
  readonly series: Readonly<Record<string, string>>;
  readonly firing: readonly Firing[];
  /** When nothing fires. */
  readonly quiet: readonly string[];
}

const A = 'job="barograph", instance="a:9464"';
const B = 'job="barograph", instance="b:9464"';
const run = 'validator_id="1", run_id="7"';
const RUN = { validator_id: '1', run_id: '7' };
const miner = (hotkey: string, uid: number): string =>
  `validator_id="1", miner_hotkey="${hotkey}", miner_uid="${uid}"`;
const MINER = { validator_id: '1', miner_hotkey: '5Bad', miner_uid: '3' };
const ON_A = { job: 'barograph', instance: 'a:9464' };

/** The same values for several miners. */
const miners = (metric: string, from: number, to: number, values: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from({ length: to - from }, (_, index) => [
      `${metric}{${A}, ${miner(`5M${from + index}`, from + index)}}`,
      values,
    ]),
  );

const RUN_CASES: readonly RuleCase[] = [
  {
    alert: 'BarographStuckStep',
    title: 'fires once for two processes that see the same query hang, and ends with it',
    series: {
      [`barograph_oldest_step_in_progress_timestamp_seconds{${A}, step="query"}`]: '0x20 stale',
      [`barograph_oldest_step_in_progress_timestamp_seconds{${B}, step="query"}`]: '0x20 stale',
      [`barograph_oldest_step_in_progress_timestamp_seconds{${A}, step="era5"}`]: '0x20 stale',
    },
    firing: [{ at: '13m', labels: { step: 'query' }, value: '13m 0s' }],
    quiet: ['9m', '22m'],
  },
  {
    alert: 'BarographStuckStep',
    title: 'gives a scoring half an hour, and starts again with the next step',
    series: { [`barograph_oldest_step_in_progress_timestamp_seconds{${A}, step="era5"}`]: '0x40 2400x40' },
    firing: [{ at: '35m', labels: { step: 'era5' }, value: '35m 0s' }],
    quiet: ['29m', '45m', '60m'],
  },
  {
    alert: 'BarographStuckForecasts',
    title: 'fires when polls are used up and miners still infer, and ends when they have moved on',
    interval: '10m',
    series: {
      [`barograph_run_status_since_timestamp_seconds{${A}, ${run}, run_status="awaiting_results"}`]: '0x40',
      [`barograph_run_forecasts{${A}, ${run}, stage="inference_running", stage_status="polling"}`]:
        '4x24 0x16',
      [`barograph_run_forecasts{${B}, ${run}, stage="inference_running", stage_status="polling"}`]:
        '4x24 0x16',
      [`barograph_run_forecasts{${A}, ${run}, stage="era5_scoring", stage_status="scoring"}`]: '99x40',
    },
    firing: [{ at: '220m', labels: RUN, value: '4' }],
    quiet: ['170m', '260m'],
  },
  {
    alert: 'BarographOverdueRetry',
    title:
      'fires for a poll after a quarter of an hour, not yet for a scoring, and ends when a worker claims it',
    series: {
      [`barograph_oldest_overdue_retry_timestamp_seconds{${A}, step="poll"}`]: '0x25 stale',
      [`barograph_oldest_overdue_retry_timestamp_seconds{${A}, step="era5"}`]: '0x60',
    },
    firing: [{ at: '22m', labels: { step: 'poll' }, value: '22m 0s' }],
    quiet: ['14m', '28m', '60m'],
  },
  {
    alert: 'BarographOverdueRetry',
    title: 'fires for a scoring after four hours',
    interval: '5m',
    series: { [`barograph_oldest_overdue_retry_timestamp_seconds{${A}, step="era5"}`]: '0x60 stale' },
    firing: [{ at: '255m', labels: { step: 'era5' }, value: '4h 15m 0s' }],
    quiet: ['235m', '310m'],
  },
  {
    alert: 'BarographGfsLate',
    title: 'fires when a run is seeded for half an hour, and ends when GFS is there',
    series: {
      [`barograph_run_status_since_timestamp_seconds{${A}, ${run}, run_status="seeding"}`]: '0x40 stale',
      [`barograph_run_status_since_timestamp_seconds{${A}, ${run}, run_status="awaiting_results"}`]:
        '_x40 2400x60',
    },
    firing: [{ at: '37m', labels: RUN, value: '37m 0s' }],
    quiet: ['29m', '42m', '90m'],
  },
  {
    alert: 'BarographRunFailed',
    title:
      'fires once for two processes at the end of a run without scores, for a day, not where all miners failed',
    interval: '30m',
    series: {
      [`barograph_run_unfinished_timestamp_seconds{${A}, ${run}, run_status="failed"}`]: '_x2 3600x60',
      [`barograph_run_unfinished_timestamp_seconds{${B}, ${run}, run_status="failed"}`]: '_x2 3600x60',
      [`barograph_run_unfinished_timestamp_seconds{${A}, validator_id="1", run_id="6", run_status="all_miners_failed"}`]:
        '0x60',
    },
    firing: [{ at: '120m', labels: { ...RUN, run_status: 'failed' } }],
    quiet: ['30m', '1530m'],
  },
  {
    alert: 'BarographTruthLate',
    title: 'fires a day after truth was due, not for truth that is to come, and ends when it is there',
    interval: '15m',
    series: {
      [`barograph_oldest_truth_due_timestamp_seconds{${A}, ${run}, score_type="era5"}`]: '0x110 stale',
      [`barograph_oldest_truth_due_timestamp_seconds{${A}, ${run}, score_type="day1"}`]: '200000x120',
      [`barograph_oldest_truth_due_timestamp_seconds{${A}, validator_id="1", run_id="8", score_type="era5"}`]:
        '200000x120',
    },
    firing: [{ at: '1500m', labels: { ...RUN, score_type: 'era5' }, value: '1d 1h 0m 0s' }],
    quiet: ['1430m', '1680m'],
  },
];

const MINER_CASES: readonly RuleCase[] = [
  {
    alert: 'BarographMinerFailing',
    title: 'fires for the third failure in a row, and ends with a success',
    series: {
      [`barograph_miner_consecutive_failures{${A}, ${miner('5Bad', 3)}}`]: '2x10 3x30 0x20',
      [`barograph_miner_consecutive_failures{${B}, ${miner('5Bad', 3)}}`]: '2x10 3x30 0x20',
      [`barograph_miner_consecutive_failures{${A}, ${miner('5Odd', 4)}}`]: '2x60',
    },
    firing: [{ at: '25m', labels: MINER, value: '3' }],
    quiet: ['9m', '18m', '45m'],
  },
  {
    alert: 'BarographManyMinersFailing',
    title: 'fires when four of twelve fail that did not before, and ends when they work again',
    series: {
      ...miners('barograph_miner_consecutive_failures', 0, 4, '0x5 1x30 0x30'),
      ...miners('barograph_miner_consecutive_successes', 0, 4, '1x5 0x30 1x30'),
      ...miners('barograph_miner_consecutive_failures', 4, 12, '0x65'),
      ...miners('barograph_miner_consecutive_successes', 4, 12, '5x65'),
    },
    firing: [{ at: '25m', labels: { validator_id: '1' }, value: '4' }],
    quiet: ['4m', '15m', '40m'],
  },
  {
    alert: 'BarographManyMinersFailing',
    title: 'fires when all fail, although there is no series of miners that succeed',
    series: miners('barograph_miner_consecutive_failures', 0, 3, '1x60'),
    firing: [{ at: '20m', labels: { validator_id: '1' }, value: '3' }],
    quiet: ['10m'],
  },
  {
    alert: 'BarographManyMinersFailing',
    title:
      'is quiet for one bad miner of three, for a quarter of twelve, and for those that are long offline',
    series: {
      ...miners('barograph_miner_consecutive_failures', 0, 3, '1x60'),
      ...miners('barograph_miner_consecutive_successes', 3, 12, '5x60'),
      ...miners('barograph_miner_consecutive_failures', 12, 40, '30x60'),
      [`barograph_miner_consecutive_failures{${A}, validator_id="2", miner_hotkey="5X", miner_uid="1"}`]:
        '1x60',
      [`barograph_miner_consecutive_successes{${A}, validator_id="2", miner_hotkey="5Y", miner_uid="2"}`]:
        '3x60',
      [`barograph_miner_consecutive_successes{${A}, validator_id="2", miner_hotkey="5Z", miner_uid="3"}`]:
        '3x60',
    },
    firing: [],
    quiet: ['20m', '50m'],
  },
  {
    alert: 'BarographVerificationFailures',
    title: 'fires for failures that are the first of their kind, and ends when six hours are over',
    interval: '10m',
    series: {
      [`barograph_steps_total{${A}, step="verify", substep="manifest", outcome="failed"}`]: '_x6 6x60',
      [`barograph_steps_total{${A}, step="verify", substep="manifest", outcome="succeeded"}`]: '_x6 20x60',
    },
    firing: [{ at: '90m', labels: {}, value: '6' }],
    quiet: ['50m', '430m'],
  },
  {
    alert: 'BarographVerificationFailures',
    title: 'is quiet for one in six, and for four of four',
    interval: '10m',
    series: {
      [`barograph_steps_total{${A}, step="verify", substep="manifest", outcome="failed"}`]:
        '_x6 6x30 stale _x60 4x20',
      [`barograph_steps_total{${A}, step="verify", substep="manifest", outcome="succeeded"}`]:
        '_x6 30x30 stale',
    },
    firing: [],
    quiet: ['90m', '300m', '1000m', '1100m'],
  },
  {
    alert: 'BarographHashTampering',
    title:
      'fires at the first altered file, and at the next; a miner that changes its slot has not done it again',
    interval: '30m',
    series: {
      [`barograph_miner_errors_total{${A}, ${miner('5Bad', 3)}, error_type="verification_chunk"}`]:
        '_x4 1x100 2x60 stale',
      [`barograph_miner_errors_total{${B}, ${miner('5Bad', 3)}, error_type="verification_chunk"}`]:
        '_x4 1x100 2x60 stale',
      [`barograph_miner_errors_total{${A}, ${miner('5Bad', 9)}, error_type="verification_chunk"}`]:
        '_x165 2x60',
      [`barograph_miner_errors_total{${A}, ${miner('5Odd', 4)}, error_type="data_coverage"}`]: '0+1x200',
    },
    firing: [
      { at: '150m', labels: { ...MINER, error_type: 'verification_chunk' } },
      { at: '3240m', labels: { ...MINER, error_type: 'verification_chunk' } },
    ],
    quiet: ['60m', '1800m', '4860m', '5400m'],
  },
];

const steps = `barograph_steps_total{${A}, step="era5", substep="score", outcome="succeeded"}`;
const errorsBy = (fault: string, type: string): string =>
  `barograph_step_errors_total{${A}, step="era5", error_type="${type}", fault="${fault}"}`;

const BUDGET_CASES: readonly RuleCase[] = [
  {
    alert: 'BarographErrorBudgetFastBurn',
    title: 'fires while a fifth of the scorings fail through our fault, and ends half an hour after',
    series: {
      [steps]: '0+100x200',
      [errorsBy('validator', 'validator_internal')]: '0+20x60 1200x140',
    },
    firing: [{ at: '50m', labels: { step: 'era5' }, value: '20%' }],
    quiet: ['1m', '95m', '180m'],
  },
  {
    alert: 'BarographErrorBudgetFastBurn',
    title: 'is quiet when miners or upstream data are at fault, and when little of it is ours',
    series: {
      [steps]: '0+100x200',
      [errorsBy('miner', 'connection')]: '0+60x200',
      [errorsBy('upstream', 'truth_missing')]: '0+30x200',
      [errorsBy('validator', 'validator_internal')]: '0+5x200',
    },
    firing: [],
    quiet: ['10m', '60m', '190m'],
  },
  {
    alert: 'BarographErrorBudgetSlowBurn',
    title: 'fires when two in a hundred fail for hours, and ends when six hours were clean',
    interval: '5m',
    series: {
      [steps]: '0+100x300',
      [errorsBy('validator', 'lock_busy')]: '0+2x150 300x150',
    },
    firing: [{ at: '600m', labels: { step: 'era5' }, value: '2%' }],
    quiet: ['30m', '1130m', '1400m'],
  },
  {
    alert: 'BarographErrorBudgetSlowBurn',
    title: 'is quiet within the budget',
    interval: '5m',
    series: { [steps]: '0+1000x300', [errorsBy('validator', 'lock_busy')]: '0+9x300' },
    firing: [],
    quiet: ['60m', '600m', '1400m'],
  },
];

const recorder = (name: string): string => `barograph_recorder_${name}{${A}}`;

const DELIVERY_CASES: readonly RuleCase[] = [
  {
    alert: 'BarographRecorderNotDelivering',
    title: 'fires when the oldest record grows old, and ends when nothing waits',
    series: { [recorder('oldest_age_seconds')]: '0+60x20 stale', [recorder('queue_length')]: '5x20 0x20' },
    firing: [{ at: '12m', labels: ON_A }],
    quiet: ['4m', '23m'],
  },
  {
    alert: 'BarographRecorderNotDelivering',
    title: 'fires when a process never commits what waits, and ends with its first commit',
    series: {
      [recorder('queue_length')]: '1x40',
      [recorder('last_commit_timestamp_seconds')]: '_x20 1200+60x20',
    },
    firing: [{ at: '10m', labels: ON_A }],
    quiet: ['3m', '22m', '35m'],
  },
  {
    alert: 'BarographRecorderNotDelivering',
    title: 'is quiet while batches follow each other, and for an idle process whose last commit is old',
    series: {
      [recorder('queue_length')]: '300x60',
      [recorder('oldest_age_seconds')]: '20x60',
      [recorder('last_commit_timestamp_seconds')]: '0+60x60',
      [`barograph_recorder_queue_length{${B}}`]: '0x60',
      [`barograph_recorder_last_commit_timestamp_seconds{${B}}`]: '0x60',
    },
    firing: [],
    quiet: ['10m', '50m'],
  },
  {
    alert: 'BarographSpoolGrowing',
    title: 'fires when it grows beyond sixteen files, and ends when it grows no more',
    series: { [recorder('spool_bytes')]: '0+8388608x25 209715200x40' },
    firing: [{ at: '20m', labels: ON_A, value: '160Mi' }],
    quiet: ['15m', '42m'],
  },
  {
    alert: 'BarographSpoolGrowing',
    title: 'is quiet for a large spool that shrinks and for a small one that grows',
    series: {
      [recorder('spool_bytes')]: '900000000-1000000x60',
      [`barograph_recorder_spool_bytes{${B}}`]: '0+1000000x60',
    },
    firing: [],
    quiet: ['12m', '30m', '60m'],
  },
  {
    alert: 'BarographSpoolNearlyFull',
    title: 'fires above four fifths of the limit, and ends below',
    series: { [recorder('spool_bytes')]: '500x10 850x20 100x20', [recorder('spool_limit_bytes')]: '1000x60' },
    firing: [{ at: '20m', labels: ON_A, value: '85%' }],
    quiet: ['9m', '45m'],
  },
  {
    alert: 'BarographSpoolNearlyFull',
    title: 'fires hours before a spool that grows steadily is full',
    series: { [recorder('spool_bytes')]: '0+10x60 600x60', [recorder('spool_limit_bytes')]: '1000x120' },
    firing: [{ at: '40m', labels: ON_A, value: '40%' }],
    quiet: ['20m', '110m'],
  },
  {
    alert: 'BarographSpoolNearlyFull',
    title: 'is quiet when the limit lies days ahead',
    series: { [recorder('spool_bytes')]: '300+0.2x120', [recorder('spool_limit_bytes')]: '1000x120' },
    firing: [],
    quiet: ['30m', '100m'],
  },
  {
    alert: 'BarographTargetDown',
    title: 'fires when scrapes fail for five minutes, and ends with one that works',
    series: { [`up{${A}}`]: '1x5 0x10 1x10', [`up{${B}}`]: '1x5 0x2 1x20' },
    firing: [{ at: '13m', labels: ON_A }],
    quiet: ['4m', '9m', '18m'],
  },
  {
    alert: 'BarographNoTarget',
    title: 'fires when no target is known, and ends when one is, even one that is down',
    series: { 'up{job="other", instance="c:1"}': '1x60', [`up{${A}}`]: '_x20 0x40' },
    firing: [{ at: '15m', labels: { job: 'barograph' } }],
    quiet: ['8m', '22m', '50m'],
  },
];

const INTEGRITY_CASES: readonly RuleCase[] = [
  {
    alert: 'BarographRecordsDropped',
    title:
      'fires at once, for a reason that was there with 0 and for a new one, and ends a quarter of an hour after',
    series: {
      [`barograph_recorder_dropped_total{${A}, reason="queue_full"}`]: '0x60',
      [`barograph_recorder_dropped_total{${A}, reason="spool_full"}`]: '0x10 3x50',
      [`barograph_recorder_dropped_total{${A}, reason="disk_full"}`]: '_x30 2x30',
    },
    firing: [
      { at: '12m', labels: { reason: 'spool_full' }, value: '3' },
      { at: '33m', labels: { reason: 'disk_full' }, value: '2' },
    ],
    quiet: ['9m', '27m', '50m'],
  },
  {
    alert: 'BarographRecordsDropped',
    title: 'does not fire again for what was dropped before, when a scrape failed a quarter of an hour ago',
    series: { [`barograph_recorder_dropped_total{${A}, reason="spool_full"}`]: '0x5 3x24 stale 3x30' },
    firing: [{ at: '7m', labels: { reason: 'spool_full' }, value: '3' }],
    quiet: ['29m', '40m', '45m', '46m', '50m'],
  },
  {
    alert: 'BarographRecordsMissing',
    title: 'fires once for two processes that see the same, and ends when the records come after all',
    series: {
      [`barograph_missing_records{${A}}`]: '0x5 4x25 0x20',
      [`barograph_missing_records{${B}}`]: '0x5 4x25 0x20',
    },
    firing: [{ at: '25m', labels: {}, value: '4' }],
    quiet: ['4m', '15m', '35m'],
  },
  {
    alert: 'BarographSpoolUnreadable',
    title: 'fires while a set-aside spool is there, and ends when it is dropped',
    series: { [recorder('spool_unreadable_bytes')]: '0x10 6144x20 0x30' },
    firing: [{ at: '15m', labels: ON_A, value: '6ki' }],
    quiet: ['5m', '35m'],
  },
  {
    alert: 'BarographEmitterConflict',
    title: 'fires once for two processes that see the same, and ends when the conflict is acknowledged',
    series: {
      [`barograph_conflicting_emitters{${A}}`]: '0x5 1x25 0x20',
      [`barograph_conflicting_emitters{${B}}`]: '0x5 1x25 0x20',
    },
    firing: [{ at: '15m', labels: {}, value: '1' }],
    quiet: ['4m', '8m', '35m'],
  },
  {
    alert: 'BarographDeadLetters',
    title: 'fires by reason, once for two processes, and ends when they are replayed',
    series: {
      [`barograph_dead_letters{${A}, reason="refused_by_database"}`]: '0x5 2x20 0x20',
      [`barograph_dead_letters{${B}, reason="refused_by_database"}`]: '0x5 2x20 stale',
      [`barograph_dead_letters{${A}, reason="clock_out_of_range"}`]: '0x50',
    },
    firing: [{ at: '15m', labels: { reason: 'refused_by_database' }, value: '2' }],
    quiet: ['4m', '8m', '30m'],
  },
  {
    alert: 'BarographStateNotRead',
    title: 'fires when a process reads no more, and ends when it does again',
    series: {
      [`up{${A}}`]: '1x40',
      [`up{${B}}`]: '1x40',
      [`barograph_state_read_timestamp_seconds{${A}}`]: '0x15 960+60x25',
      [`barograph_state_read_timestamp_seconds{${B}}`]: '0+60x40',
    },
    firing: [{ at: '10m', labels: ON_A }],
    quiet: ['5m', '17m', '35m'],
  },
  {
    alert: 'BarographStateNotRead',
    title: 'fires for a process that lives and never read it, not for one that is down',
    series: { [`up{${A}}`]: '1x20 0x20', [`up{${B}}`]: '0x40' },
    firing: [{ at: '8m', labels: ON_A }],
    quiet: ['3m', '22m'],
  },
  {
    alert: 'BarographMinerStatsDrift',
    title: 'fires when rows differ for a while, and ends with a comparison that finds none',
    series: {
      [`barograph_miner_stats_drift_rows{${A}}`]: '0x5 2x20 0x20',
      [`barograph_miner_stats_drift_rows{${B}}`]: '0x5 1x3 0x40',
    },
    firing: [{ at: '20m', labels: ON_A, value: '2' }],
    quiet: ['4m', '12m', '30m'],
  },
  {
    alert: 'BarographSeriesOverflow',
    title: 'fires for counters, and ends an hour after the last',
    series: { [`barograph_metrics_overflow_total{${A}, label="reason"}`]: '0x10 7x150' },
    firing: [{ at: '20m', labels: { label: 'reason' } }],
    quiet: ['9m', '75m'],
  },
  {
    alert: 'BarographSeriesOverflow',
    title: 'fires for miners and runs without series of their own, and ends when they have them',
    series: {
      [`barograph_metrics_overflowed_miners{${A}, validator_id="1"}`]: '0x80',
      [`barograph_metrics_overflowed_miners{${A}, validator_id="2"}`]: '0x5 3x15 0x60',
      [`barograph_metrics_overflowed_runs{${A}}`]: '0x30 1x15 0x40',
      [`barograph_metrics_overflow_total{${A}, label="run_id"}`]: '0x90',
    },
    firing: [
      { at: '15m', labels: { label: 'miner_hotkey', validator_id: '2' } },
      { at: '40m', labels: { label: 'run_id' } },
    ],
    quiet: ['4m', '25m', '55m'],
  },
];

/** For each alert: when it fires, when it resolves, and near misses for which it stays quiet. */
export const RULE_CASES: readonly RuleCase[] = [
  ...RUN_CASES,
  ...MINER_CASES,
  ...BUDGET_CASES,
  ...DELIVERY_CASES,
  ...INTEGRITY_CASES,
];
