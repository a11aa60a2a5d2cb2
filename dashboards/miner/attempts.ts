import { COLOURS, colourMapping } from '../panels/colours.ts';
import { timelinePanel } from '../panels/chart-panels.ts';
import {
  errorTypeColumn,
  leadColumn,
  messageColumn,
  stepColumn,
  stepStatusColumn,
  traceColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { column, hiddenColumn, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/miner.ts';

const lanes = timelinePanel({
  id: 401,
  title: 'Attempts of the run over time',
  description:
    'When each attempt of the chosen run ran and how it ended, within the time range above; the links to a run set that ' +
    'range. Gaps are waits; calls lie within their steps and are in the table below. Many red bars one after another: the retries do not help.',
  unit: UNITS.text,
  noValue: 'No attempt of this run lies in the time range; open the run from "Forecasts of all runs"',
  width: 24,
  height: 10,
  sql: queries.ATTEMPT_LANES,
  mappings: colourMapping(COLOURS.stepStatus),
});

const attempts = tablePanel({
  id: 402,
  title: 'Every attempt of the run',
  description:
    'All that happened to the forecast of the chosen run, in the order of time, whatever the time range. Follow the trace ' +
    'of an attempt to the calls that it made.',
  noValue: 'Nothing of this miner in this run is recorded',
  width: 24,
  height: 14,
  sql: queries.ATTEMPTS,
  columns: [
    instantColumn('started_at', 'Started'),
    stepColumn(),
    column('substep', 'Substep', { width: 110 }),
    leadColumn(),
    column('attempt', 'Attempt', { width: 75 }),
    stepStatusColumn(),
    column('latency_ms', 'Took', { unit: UNITS.milliseconds, decimals: 1, width: 90 }),
    errorTypeColumn(),
    messageColumn('error_message', 'Error'),
    instantColumn('next_retry_time', 'Tried again'),
    traceColumn('span_id'),
    hiddenColumn('span_id'),
  ],
});

export const minerAttempts: Section = {
  id: 400,
  title: 'One run, attempt by attempt',
  panels: [lanes, attempts],
};
