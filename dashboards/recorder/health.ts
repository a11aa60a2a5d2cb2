import { METRICS } from '#semconv/metrics';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import {
  ageOf,
  eachProcess,
  increaseOf,
  orZero,
  stateOf,
  stateSumOf,
  sumOfProcesses,
} from '../panels/promql.ts';
import { promStatPanel } from '../panels/stat-panel.ts';
import { ZERO_IS_RIGHT, ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';

const NO_PROCESS = 'No process of Barograph is scraped; see the targets of Prometheus';

const lost = promStatPanel({
  id: 101,
  title: 'Is anything lost?',
  description:
    'All are 0 when all is well. Missing: records left a process and never arrived; keep spool and database and ' +
    'report it. Conflicts: two processes share an id. Dropped: the spool was full. Drift: metrics differ from miner_stats; restart that process. Dead letters ' +
    'are stored: barograph dead-letters list.',
  unit: UNITS.count,
  noValue: NO_PROCESS,
  width: 12,
  height: 4,
  decimals: 0,
  thresholds: ZERO_IS_RIGHT,
  queries: [
    { expr: stateOf(METRICS.missingRecords), legend: 'Missing' },
    { expr: stateOf(METRICS.conflictingEmitters), legend: 'Conflicts' },
    { expr: orZero(increaseOf(METRICS.recorderDropped)), legend: 'Dropped' },
    { expr: orZero(stateSumOf(METRICS.deadLetters)), legend: 'Dead letters' },
    { expr: `max (${METRICS.minerStatsDrift.name})`, legend: 'Drift' },
  ],
  fields: [{ name: 'Dead letters', thresholds: ZERO_IS_USUAL }],
});

const late = promStatPanel({
  id: 102,
  title: 'Is anything late?',
  description:
    'Age of the oldest span that waits, time since the last commit, and age of the state that the metrics show. A commit ' +
    'is only missed when something waits. All three rising: the database is down; bring it back, restart nothing.',
  unit: UNITS.seconds,
  noValue: 'Nothing waits',
  width: 12,
  height: 4,
  decimals: 0,
  thresholds: ['green', [60, 'orange'], [300, 'red']],
  queries: [
    { expr: orZero(`max (${METRICS.recorderOldestAge.name})`), legend: 'Oldest span' },
    { expr: ageOf(`max (${METRICS.recorderLastCommit.name})`), legend: 'Last commit' },
    { expr: ageOf(stateOf(METRICS.stateRead)), legend: 'State' },
  ],
  fields: [{ name: 'Last commit', thresholds: ['blue'] }],
});

const queue = promLinesPanel({
  id: 103,
  title: 'Spans that wait',
  description:
    'Spans that wait to be recorded, by process. Peaks that go back to 0 are usual; a line that only rises means that the ' +
    'database is down or too slow.',
  unit: UNITS.count,
  noValue: NO_PROCESS,
  width: 8,
  height: 8,
  min: 0,
  queries: [{ expr: eachProcess(METRICS.recorderQueueLength), legend: '{{instance}}' }],
});

const age = promLinesPanel({
  id: 104,
  title: 'Age of the oldest span that waits',
  description:
    'By process, while one waits. Above a minute the database does not keep up: see how long its batches take below.',
  unit: UNITS.seconds,
  noValue: 'Nothing has waited in this time range',
  width: 8,
  height: 8,
  min: 0,
  queries: [{ expr: eachProcess(METRICS.recorderOldestAge), legend: '{{instance}}' }],
});

const spool = promLinesPanel({
  id: 105,
  title: 'Spool on disk',
  description:
    'Bytes on disk that have not reached the database, by process. Spans are dropped when the limit is reached, see "Share ' +
    'of the spool that is used": set BAROGRAPH_SPOOL_LIMIT_MIB higher before that. Unreadable: bytes that were set aside; ' +
    'barograph spools list names them.',
  unit: UNITS.bytes,
  noValue: NO_PROCESS,
  width: 8,
  height: 8,
  min: 0,
  queries: [
    { expr: eachProcess(METRICS.recorderSpoolBytes), legend: '{{instance}}' },
    { expr: `${eachProcess(METRICS.recorderSpoolUnreadable)} > 0`, legend: '{{instance}} unreadable' },
  ],
});

const whole = promLinesPanel({
  id: 106,
  title: 'Share of the spool that is used',
  description: 'All processes together. Above a half the outage lasts longer than the spool was made for.',
  unit: UNITS.ratio,
  noValue: NO_PROCESS,
  width: 8,
  height: 7,
  min: 0,
  max: 1,
  queries: [
    {
      expr: `${sumOfProcesses(METRICS.recorderSpoolBytes)} / ${sumOfProcesses(METRICS.recorderSpoolLimit)}`,
      legend: 'used',
    },
  ],
});

const drift = promLinesPanel({
  id: 107,
  title: 'Metrics that differ from the table',
  description:
    'Rows of miner_stats that differed from the metrics of a process when it last compared. 0 is right; if it stays above, ' +
    'run barograph reconcile and restart that process.',
  unit: UNITS.count,
  noValue: NO_PROCESS,
  width: 8,
  height: 7,
  min: 0,
  queries: [{ expr: eachProcess(METRICS.minerStatsDrift), legend: '{{instance}}' }],
});

const overflow = promLinesPanel({
  id: 108,
  title: 'Beyond the budget of series',
  description:
    'Miners and runs beyond the series limit of a metric, which have no series of their own. Their tables are complete; ' +
    'only their lines here and their alerts are missing.',
  unit: UNITS.count,
  noValue: NO_PROCESS,
  width: 8,
  height: 7,
  min: 0,
  queries: [
    {
      expr: `max by (validator_id) (${METRICS.minersOverflowed.name})`,
      legend: 'miners of validator {{validator_id}}',
    },
    { expr: stateOf(METRICS.runsOverflowed), legend: 'runs' },
    { expr: increaseOf(METRICS.overflow, { by: ['label'] }), legend: 'observations by {{label}}' },
  ],
});

const NOTHING_HELD = 'No partition is kept beyond its retention, or no retention is set';

const held = promLinesPanel({
  id: 109,
  title: 'Partitions that open runs keep',
  description:
    'Partitions of the log that are older than BAROGRAPH_RETENTION_DAYS and stay because the run has not ended, by run, ' +
    'at the newest round of retention (every six hours). Usual while a run lasts longer than that; they are dropped by ' +
    'the round after its end.',
  unit: UNITS.count,
  noValue: NOTHING_HELD,
  width: 12,
  height: 7,
  min: 0,
  queries: [
    { expr: stateOf(METRICS.partitionsHeld), legend: 'run {{run_id}} of validator {{validator_id}}' },
  ],
});

const heldFor = promLinesPanel({
  id: 110,
  title: 'For how long they are kept beyond their retention',
  description:
    'Time since the oldest of these partitions exceeded its retention, by run. No run lasts longer than 45 days: above that, ' +
    'barograph doctor names the run, and "Retention" in docs/operating.md shows how to end it.',
  unit: UNITS.seconds,
  noValue: NOTHING_HELD,
  width: 12,
  height: 7,
  min: 0,
  queries: [
    {
      expr: ageOf(stateOf(METRICS.oldestPartitionHeld)),
      legend: 'run {{run_id}} of validator {{validator_id}}',
    },
  ],
});

const databases = promStatPanel({
  id: 111,
  title: 'Databases',
  description:
    'Processes by the database that they record into. More than one database: their numbers are added up in these ' +
    'panels; scrape one of them, or tell them apart by job.',
  unit: UNITS.count,
  noValue: NO_PROCESS,
  width: 24,
  height: 3,
  decimals: 0,
  thresholds: ['blue'],
  queries: [{ expr: `count by (database_id) (${METRICS.databaseInfo.name})`, legend: '{{database_id}}' }],
});

export const recorderHealth: Section = {
  id: 100,
  title: 'Lost, late or growing?',
  panels: [lost, late, queue, age, spool, whole, drift, overflow, held, heldFor, databases],
};
