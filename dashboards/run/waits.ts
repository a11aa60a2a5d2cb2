import { flagMapping } from '../panels/colours.ts';
import { barPanel } from '../panels/chart-panels.ts';
import {
  countColumn,
  errorTypeColumn,
  leadColumn,
  messageColumn,
  minerColumn,
  secondsColumn,
  stepColumn,
  stepStatusColumn,
  traceColumn,
  uidColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { column, instantColumn, tablePanel } from '../panels/table-panel.ts';
import type { Thresholds } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/run.ts';

const HOUR = 3600;
/** A step may take long; after some hours it needs attention. */
const HELD: Thresholds = ['green', [HOUR, 'yellow'], [6 * HOUR, 'orange'], [24 * HOUR, 'red']];
/** The queue keeps due times to the minute. */
const OVERDUE: Thresholds = ['green', [60, 'orange'], [600, 'red']];
/** Truth is often some hours late; a day late is an outage of its provider. */
const LATE: Thresholds = ['green', [6 * HOUR, 'yellow'], [24 * HOUR, 'orange'], [72 * HOUR, 'red']];

const stuck = tablePanel({
  id: 301,
  title: 'What is stuck, and since when',
  description:
    'Steps that run, wait for a retry or were abandoned, since their first attempt, the oldest first; waits for truth are ' +
    'below. abandoned: the process died; any process started on its data directory resumes it. in_progress for hours: ' +
    'follow the trace.',
  noValue: 'Nothing is stuck: no step of this run is held up',
  width: 24,
  height: 10,
  sql: queries.STUCK_STEPS,
  columns: [
    uidColumn(),
    minerColumn(),
    stepColumn(),
    leadColumn(),
    countColumn('attempt', 'Attempt'),
    stepStatusColumn(),
    secondsColumn('held_for', 'For', { thresholds: HELD }),
    errorTypeColumn(),
    messageColumn('error_message'),
    instantColumn('since', 'Since'),
    instantColumn('waits_until', 'Waits until'),
    countColumn('retries_remaining', 'Left', { width: 50 }),
    traceColumn(),
  ],
});

const truth = tablePanel({
  id: 302,
  title: 'Leads that wait for truth',
  description:
    'Truth that the run waits for (GFS for day1, ERA5 for era5): when it is due, by how much it is late, and when it is ' +
    'checked again. Waiting uses no attempt. When it is days late, check its provider; after 30 days the lead is given up.',
  noValue: 'No lead of this run waits for truth',
  width: 14,
  height: 9,
  sql: queries.WAITING_FOR_TRUTH,
  columns: [
    stepColumn(),
    leadColumn(),
    countColumn('forecasts', 'Forecasts'),
    instantColumn('since', 'Since'),
    instantColumn('due_time', 'Due'),
    secondsColumn('late_by', 'Late by', { thresholds: LATE }),
    instantColumn('next_retry_time', 'Next check'),
    traceColumn(),
  ],
});

const retries = tablePanel({
  id: 303,
  title: 'Retries to come',
  description:
    'Scheduled retries: of what, when, and how many are left then. Overdue in red: no worker claims it. See whether ' +
    'barograph work runs, and the dashboard Pipeline.',
  noValue: 'No retry of this run is to come',
  width: 24,
  height: 9,
  sql: queries.SCHEDULED_RETRIES,
  columns: [
    uidColumn(),
    minerColumn(),
    stepColumn(),
    leadColumn(),
    instantColumn('next_retry_time', 'Due'),
    secondsColumn('overdue_by', 'Overdue by', { thresholds: OVERDUE }),
    countColumn('attempts_made', 'Attempts'),
    countColumn('retries_remaining', 'Left', { width: 50 }),
    column('waits_for_truth', 'Why', {
      width: 90,
      mappings: flagMapping({ true: 'truth', false: 'retry' }),
      coloured: 'text',
    }),
    errorTypeColumn(),
    messageColumn('error_message'),
    traceColumn(),
  ],
});

const lateness = barPanel({
  id: 304,
  title: 'How late truth was, by lead',
  description:
    'From the time at which ERA5 was due to the first score of the lead, or to now while there is none. All leads late ' +
    'alike: the provider of ERA5. Rising with the lead: we do not keep up.',
  unit: UNITS.seconds,
  noValue: 'No step of this run has waited for truth',
  width: 10,
  height: 9,
  sql: queries.TRUTH_LATENESS,
  nameField: 'lead',
  thresholds: LATE,
  fields: [{ name: 'late_by', title: 'Late by' }],
});

export const runWaits: Section = {
  id: 300,
  title: 'Stuck and waiting',
  panels: [stuck, retries, truth, lateness],
};
