import { COLOURS, colourMapping } from '../panels/colours.ts';
import type { Section } from '../panels/dashboard.ts';
import { sqlStatPanel } from '../panels/stat-panel.ts';
import { NEUTRAL, ONE_IS_BEST, ZERO_IS_RIGHT, ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/run.ts';

const NO_RUN = 'No run is chosen, or nothing of it is recorded yet';

const status = sqlStatPanel({
  id: 101,
  title: 'Status of the run',
  description:
    'Status of the run as a whole by its newest orchestration. When it is red, read why under "Decisions of the orchestrator".',
  unit: UNITS.text,
  noValue: NO_RUN,
  width: 4,
  height: 4,
  sql: queries.RUN_STATUS,
  mappings: colourMapping(COLOURS.runStatus),
});

const since = sqlStatPanel({
  id: 102,
  title: 'In this status since',
  description:
    'When the run entered its status, and the T0 of its forecast. A run that awaits results for ten days is healthy: ERA5 ' +
    'comes five days late. One that fetches GFS for hours is not: see "Decisions of the orchestrator".',
  unit: UNITS.instant,
  noValue: NO_RUN,
  width: 5,
  height: 4,
  sql: queries.RUN_STATUS_SINCE,
  thresholds: NEUTRAL,
  fields: [
    { name: 'since', title: 'Since' },
    { name: 'init_time', title: 'T0' },
  ],
});

const miners = sqlStatPanel({
  id: 103,
  title: 'Miners by outcome',
  description:
    'How many forecasts of the run ended, failed or are in flight; waiting ones are in flight, too. When many failed, see ' +
    '"Failures, and who is at fault": the same error at many miners is rarely their fault.',
  unit: UNITS.count,
  noValue: NO_RUN,
  width: 8,
  height: 4,
  sql: queries.RUN_MINERS,
  thresholds: NEUTRAL,
  fields: [
    { name: 'miners', title: 'All' },
    { name: 'completed', title: 'Completed', thresholds: ['green'] },
    { name: 'failed', title: 'Failed', thresholds: ZERO_IS_USUAL },
    { name: 'in_flight', title: 'In flight' },
    { name: 'waiting', title: 'Waiting' },
  ],
});

const leads = sqlStatPanel({
  id: 104,
  title: 'ERA5 leads scored',
  description:
    'Leads that have a score, of all leads of all miners. When it stops rising, see "Leads that wait for truth" and ' +
    '"Scores that are missing".',
  unit: UNITS.count,
  noValue: NO_RUN,
  width: 7,
  height: 4,
  sql: queries.RUN_LEADS,
  thresholds: NEUTRAL,
  fields: [
    { name: 'leads_scored', title: 'Scored' },
    { name: 'leads_expected', title: 'Expected' },
    { name: 'share_scored', title: 'Share', unit: UNITS.ratio, decimals: 1, thresholds: ONE_IS_BEST },
  ],
});

const completeness = sqlStatPanel({
  id: 105,
  title: 'Is anything of the run lost?',
  description:
    'started = recorded + in flight + spooled + dead + dropped. Unaccounted is what the sum lacks, missing the numbers of ' +
    'records that left a process and never arrived: both mean loss. Processes in conflict shared an id: the sum may hide ' +
    'a loss then. Lost before the recorder: unknown where a sender over OTLP does not number its spans; the other columns cannot ' +
    'show what it lost. Keep spool and database as they are, and see the dashboard Recorder. Dead letters can be replayed: barograph dead-letters.',
  unit: UNITS.count,
  noValue: NO_RUN,
  width: 24,
  height: 4,
  sql: queries.RUN_COMPLETENESS,
  thresholds: NEUTRAL,
  fields: [
    { name: 'started', title: 'Started' },
    { name: 'recorded', title: 'Recorded', thresholds: ['green'] },
    { name: 'in_flight', title: 'In flight' },
    { name: 'spooled', title: 'Spooled' },
    { name: 'dead', title: 'Dead letters', thresholds: ZERO_IS_USUAL },
    { name: 'dropped', title: 'Dropped', thresholds: ZERO_IS_RIGHT },
    { name: 'unaccounted', title: 'Unaccounted', thresholds: ZERO_IS_RIGHT },
    { name: 'missing', title: 'Missing records', unit: UNITS.text },
    { name: 'conflicts', title: 'Processes in conflict', unit: UNITS.text },
    { name: 'sender_loss', title: 'Lost before the recorder', unit: UNITS.text },
  ],
});

export const runState: Section = {
  id: 100,
  title: 'State of the run',
  panels: [status, since, miners, leads, completeness],
};
