import { COLOURS, colourMapping } from '../panels/colours.ts';
import {
  countColumn,
  errorTypeColumn,
  faultColumn,
  leadColumn,
  messageColumn,
  minerColumn,
  stepStatusColumn,
  traceColumn,
  uidColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { column, hiddenColumn, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { ZERO_IS_USUAL } from '../panels/thresholds.ts';
import * as queries from '../queries/run.ts';

const missing = tablePanel({
  id: 401,
  title: 'Scores that are missing, and who is at fault',
  description:
    'Each score that a miner lacks, and the obstacle. upstream: wait, or see the provider of the data. miner: the ' +
    'miner must act. validator: we must act. Empty when every expected score exists.',
  noValue: 'No score of this run is missing',
  width: 24,
  height: 11,
  sql: queries.MISSING_SCORES,
  columns: [
    uidColumn(),
    minerColumn(),
    column('score_type', 'Score', { width: 70 }),
    leadColumn(),
    faultColumn(),
    messageColumn('reason', 'Why'),
    errorTypeColumn(),
    stepStatusColumn(),
    instantColumn('next_retry_time', 'Tried again'),
    countColumn('retries_remaining', 'Left', { width: 50 }),
    traceColumn(),
  ],
});

const decisions = tablePanel({
  id: 402,
  title: 'Decisions of the orchestrator',
  description:
    'What was decided for the run, and why, the newest first. Check the yellow and red ones: the reason names what ' +
    'is missing.',
  noValue: 'No decision of this run is recorded',
  width: 14,
  height: 9,
  sql: queries.DECISIONS,
  columns: [
    instantColumn('created_at', 'When'),
    column('level', 'Level', { width: 70, mappings: colourMapping(COLOURS.logLevel) }),
    column('decision', 'Decision', { width: 130 }),
    messageColumn('reason', 'Why'),
    traceColumn('span_id'),
    hiddenColumn('span_id'),
  ],
});

const repeated = tablePanel({
  id: 403,
  title: 'Scores that were made twice',
  description:
    'Leads that were scored more than once; the newest score counts. Usual after a crash between a score and its ' +
    'record. Many of them without one: two pipelines work on the same run.',
  noValue: 'Nothing of this run was scored twice',
  width: 10,
  height: 9,
  sql: queries.REPEATED_SCORES,
  columns: [
    uidColumn(),
    minerColumn(),
    column('score_type', 'Score', { width: 70 }),
    leadColumn(),
    countColumn('times_scored', 'Times', { thresholds: ZERO_IS_USUAL }),
  ],
});

export const runDecisions: Section = {
  id: 400,
  title: 'What is missing, and what was decided',
  panels: [missing, decisions, repeated],
};
