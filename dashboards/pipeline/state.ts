import { METRICS } from '#semconv/metrics';
import { COLOURS } from '../panels/colours.ts';
import { countColumn, runStatusColumn, traceColumn } from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { dashboardLink } from '../panels/links.ts';
import { ageOf, orZero, stateOf, stateSumOf } from '../panels/promql.ts';
import { promStatPanel } from '../panels/stat-panel.ts';
import { column, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { NEUTRAL, ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import { OPEN_RUNS } from '../queries/recorder.ts';

const ofValidator = { validator_id: '${validator}' };
const NO_STATE = 'No process reports the state of the tables; see the dashboard Recorder';

const now = promStatPanel({
  id: 101,
  title: 'Now',
  description:
    'Steps that run, retries to come, retries whose time has passed, and leads that wait for truth: GFS for day one, ERA5 for the others. Overdue retries mean ' +
    'that no worker claims them: see whether barograph work runs.',
  unit: UNITS.count,
  noValue: NO_STATE,
  width: 10,
  height: 4,
  thresholds: NEUTRAL,
  queries: [
    { expr: orZero(stateSumOf(METRICS.stepsInProgress)), legend: 'Running' },
    { expr: orZero(stateSumOf(METRICS.retriesScheduled)), legend: 'Retries to come' },
    { expr: orZero(stateSumOf(METRICS.retriesOverdue)), legend: 'Overdue' },
    {
      expr: orZero(stateSumOf(METRICS.leadsWaitingForTruth, { where: ofValidator })),
      legend: 'Wait for truth',
    },
  ],
  fields: [{ name: 'Overdue', thresholds: ZERO_IS_USUAL }],
});

const oldest = promStatPanel({
  id: 102,
  title: 'Longest',
  description:
    'How long the step that runs longest has run, how long the retry that is overdue longest is overdue, and how late the ' +
    'truth (GFS or ERA5) is that is waited for longest. The dashboard Run names them.',
  unit: UNITS.seconds,
  noValue: 'Nothing runs, nothing is overdue, and no truth is late',
  width: 8,
  height: 4,
  decimals: 0,
  thresholds: ['green', [3600, 'yellow'], [6 * 3600, 'orange'], [24 * 3600, 'red']],
  queries: [
    { expr: `max (${ageOf(stateOf(METRICS.oldestStepInProgress))})`, legend: 'Runs' },
    { expr: `max (${ageOf(stateOf(METRICS.oldestRetryDue))})`, legend: 'Overdue' },
    {
      expr: `clamp_min(max (${ageOf(stateOf(METRICS.oldestTruthDue, { where: ofValidator }))}), 0)`,
      legend: 'Truth late',
    },
  ],
  fields: [{ name: 'Overdue', thresholds: ['green', [60, 'orange'], [600, 'red']] }],
});

const unfinished = promStatPanel({
  id: 106,
  title: 'Ended without scores',
  description:
    'How long ago the newest run of the chosen validator ended in each status that is not completed. Look for it in the dashboard Run: ' +
    '"Decisions of the orchestrator" tells why.',
  unit: UNITS.seconds,
  noValue: 'No run that is known ended so',
  width: 6,
  height: 4,
  decimals: 0,
  thresholds: ['red', [24 * 3600, 'blue']],
  queries: [
    {
      expr: ageOf(stateOf(METRICS.runUnfinished, { where: ofValidator })),
      legend: '{{run_status}} ({{run_id}})',
    },
  ],
});

const runs = tablePanel({
  id: 103,
  title: 'Open runs',
  description:
    'Runs that have not ended, the newest first. About fifteen are open at a time with a run a day, since the last lead is ' +
    'scored fifteen days after T0. An old one with nothing in flight is stale: see its decisions.',
  noValue: 'No run is open',
  width: 24,
  height: 8,
  sql: OPEN_RUNS,
  columns: [
    column('run_id', 'Run', {
      width: 80,
      links: [
        dashboardLink('run', 'This run', { run: 'run_id' }),
        dashboardLink('scores', 'Its scores', { run: 'run_id' }),
      ],
    }),
    instantColumn('gfs_init_time_utc', 'T0'),
    runStatusColumn(),
    countColumn('miners', 'Miners'),
    countColumn('completed', 'Completed'),
    countColumn('failed', 'Failed', { thresholds: ZERO_IS_USUAL, coloured: 'text' }),
    countColumn('in_flight', 'In flight'),
    countColumn('waiting', 'Waiting'),
    instantColumn('next_event', 'Next event'),
    countColumn('leads_scored', 'Leads scored'),
    countColumn('leads_expected', 'of'),
    traceColumn(),
  ],
});

const stages = promLinesPanel({
  id: 104,
  title: 'Forecasts by stage',
  description:
    'Forecasts of open runs by the stage in which they are. A layer that grows and never shrinks is where the pipeline is ' +
    'held up.',
  unit: UNITS.count,
  noValue: NO_STATE,
  width: 12,
  height: 8,
  min: 0,
  isStacked: true,
  queries: [
    { expr: stateSumOf(METRICS.runForecasts, { by: ['stage'], where: ofValidator }), legend: '{{stage}}' },
  ],
  fields: Object.entries(COLOURS.stage).map(([name, colour]) => ({ name, colour })),
});

const waiting = promLinesPanel({
  id: 105,
  title: 'Retries and waits',
  description:
    'Retries to come and overdue, by step where there are any, and leads that wait for truth: day1 for GFS, era5 for ERA5. Overdue above 0 for longer than some minutes: ' +
    'workers are missing, or all of them are busy.',
  unit: UNITS.count,
  noValue: NO_STATE,
  width: 12,
  height: 8,
  min: 0,
  queries: [
    { expr: `${stateOf(METRICS.retriesScheduled)} > 0`, legend: '{{step}} to come' },
    { expr: `${stateOf(METRICS.retriesOverdue)} > 0`, legend: '{{step}} overdue' },
    {
      expr: `${stateSumOf(METRICS.leadsWaitingForTruth, { by: ['score_type'], where: ofValidator })} > 0`,
      legend: '{{score_type}} waits for truth',
    },
  ],
});

export const pipelineState: Section = {
  id: 100,
  title: 'State of the pipeline',
  panels: [now, oldest, unfinished, runs, stages, waiting],
};
