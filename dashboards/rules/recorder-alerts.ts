import { METRICS } from '#semconv/metrics';
import { DASHBOARD_LINKS } from './dashboard-links.ts';
import type { Pace } from './pace.ts';
import { by, growth, JOB, series, since } from './promql.ts';
import type { AlertRule } from './rule.ts';
import { TOO_LONG_SECONDS, TOO_MANY } from './thresholds.ts';

const spool = series(METRICS.recorderSpoolBytes);
const limit = series(METRICS.recorderSpoolLimit);
const isUp = `up{job="${JOB}"}`;

const dashboard = DASHBOARD_LINKS.recorder;

/** Alerts about late delivery into the tables. */
const delivery = ({ seconds, held, range }: Pace): readonly AlertRule[] => [
  {
    // A process that has not committed yet has no last commit, so its absence must not silence the second half.
    alert: 'BarographRecorderNotDelivering',
    expr: `(${series(METRICS.recorderOldestAge)} > ${seconds(TOO_LONG_SECONDS.delivery)})
or (${series(METRICS.recorderQueueLength)} > 0
  unless on (job, instance) ${since(series(METRICS.recorderLastCommit))} < ${seconds(TOO_LONG_SECONDS.delivery)})`,
    for: held('5m'),
    severity: 'page',
    summary: 'What {{ $labels.instance }} records has not reached the database for minutes',
    description:
      'The spool holds it and nothing is lost while it has room. Panels and views are behind, and the pipeline may be blocked for the same reason.',
    dashboard,
  },
  {
    alert: 'BarographSpoolGrowing',
    expr: `${spool} > ${TOO_MANY.spoolBytes} and deriv(${spool}[${range('15m')}]) > 0`,
    for: held('10m'),
    severity: 'ticket',
    summary: 'The spool of {{ $labels.instance }} holds {{ $value | humanize1024 }}B and grows',
    description: 'More is recorded than the database takes. Sixteen files of the spool wait; one is usual.',
    dashboard,
  },
  {
    alert: 'BarographSpoolNearlyFull',
    expr: `(${spool} / ${limit} > ${TOO_MANY.spoolShare})
or (${spool} / ${limit} > 0.25
  and predict_linear(${spool}[${range('30m')}], 4 * ${seconds(3600)}) > ${limit})`,
    for: held('5m'),
    severity: 'page',
    summary: 'The spool of {{ $labels.instance }} is {{ $value | humanizePercentage }} full',
    description: 'It is full now or within four hours. Then steps go on and their records are dropped.',
    dashboard,
  },
  {
    alert: 'BarographTargetDown',
    expr: `${isUp} == 0`,
    for: held('5m'),
    severity: 'page',
    summary: '{{ $labels.instance }} does not answer its scrapes',
    description: 'The process has ended or hangs. All that is shown of it is out of date.',
    dashboard,
  },
  {
    alert: 'BarographNoTarget',
    expr: `absent(${isUp})`,
    for: held('10m'),
    severity: 'page',
    summary: 'Prometheus scrapes no process of Barograph',
    description: 'No other alert of Barograph can fire. A process that was never found is not even down.',
    dashboard,
  },
];

/** Alerts about lost and rejected records. */
const integrity = ({ held, range }: Pace): readonly AlertRule[] => [
  {
    alert: 'BarographRecordsDropped',
    expr: `${by('sum', ['reason'], growth(series(METRICS.recorderDropped), range('15m')))} > 0`,
    for: held('0s'),
    severity: 'page',
    summary: '{{ $value | humanize }} records were dropped: {{ $labels.reason }}',
    description:
      'The records of these steps are not in the tables and never will be. Steps and scores go on.',
    dashboard,
  },
  {
    alert: 'BarographRecordsMissing',
    expr: `max(${series(METRICS.missingRecords)}) > 0`,
    for: held('15m'),
    severity: 'ticket',
    summary: '{{ $value }} records left their process and never reached the tables',
    description:
      'They were not dropped and wait in no spool: a sender over OTLP lost them, or it is a fault of Barograph, or of a disk.',
    dashboard,
  },
  {
    alert: 'BarographEmitterConflict',
    expr: `max(${series(METRICS.conflictingEmitters)}) > 0`,
    for: held('5m'),
    severity: 'ticket',
    summary: '{{ $value }} processes share an id or their numbers with another one',
    description:
      'Their numbers are one set, in which the one fills the gaps of the other: nothing proves that none of their records is missing.',
    dashboard,
  },
  {
    alert: 'BarographSpoolUnreadable',
    expr: `${series(METRICS.recorderSpoolUnreadable)} > 0`,
    for: held('0s'),
    severity: 'ticket',
    summary:
      'The disk of {{ $labels.instance }} keeps {{ $value | humanize1024 }}B of records that cannot be read',
    description:
      'They were set aside whole, and their numbers are missing in the books. `barograph spools` shows and replays them.',
    dashboard,
  },
  {
    alert: 'BarographDeadLetters',
    expr: `${by('max', ['reason'], series(METRICS.deadLetters))} > 0`,
    for: held('5m'),
    severity: 'ticket',
    summary: '{{ $value }} spans could not be recorded: {{ $labels.reason }}',
    description:
      'They are stored whole and can be replayed when the cause is removed. Until then their steps are missing.',
    dashboard,
  },
];

/** Alerts about metrics that are out of date or incomplete. */
const shown = ({ seconds, held, range }: Pace): readonly AlertRule[] => [
  {
    // A process that never read the state has no such series.
    alert: 'BarographStateNotRead',
    expr: `(${since(series(METRICS.stateRead))} > ${seconds(TOO_LONG_SECONDS.stateRead)})
or (${isUp} == 1 unless on (job, instance) ${series(METRICS.stateRead)})`,
    for: held('5m'),
    severity: 'page',
    summary: '{{ $labels.instance }} does not read the state of the runs any more',
    description:
      'What waits, is stuck or is overdue is not exposed, and the alerts about it are blind or out of date.',
    dashboard,
  },
  {
    alert: 'BarographMinerStatsDrift',
    expr: `${series(METRICS.minerStatsDrift)} > 0`,
    for: held('10m'),
    severity: 'ticket',
    summary: '{{ $value }} rows of miner_stats differ from the metrics of {{ $labels.instance }}',
    description:
      'Its panels of miners show other numbers than the tables. The tables are right unless reconcile reports otherwise.',
    dashboard,
  },
  {
    alert: 'BarographSeriesOverflow',
    expr: `(${by('sum', ['label'], `increase(${series(METRICS.overflow)}[${range('1h')}])`)} > 0)
or label_replace(${by('max', ['validator_id'], series(METRICS.minersOverflowed))} > 0, "label", "miner_hotkey", "", "")
or label_replace(max(${series(METRICS.runsOverflowed)}) > 0, "label", "run_id", "", "")`,
    for: held('5m'),
    severity: 'ticket',
    summary: 'The label {{ $labels.label }} has more values than its budget of series',
    description:
      'The rest shares one series, or has none. Totals stay right; single ones are missing from panels and alerts. Tables hold all.',
    dashboard,
  },
];

/** All alerts about the recorder. */
export const recorderAlerts = (pace: Pace): readonly AlertRule[] => [
  ...delivery(pace),
  ...integrity(pace),
  ...shown(pace),
];
