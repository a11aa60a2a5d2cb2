import { METRICS } from '#semconv/metrics';
import {
  countColumn,
  leadColumn,
  messageColumn,
  minerColumn,
  secondsColumn,
  stepColumn,
  stepStatusColumn,
  traceColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { dashboardLink } from '../panels/links.ts';
import { stateOf } from '../panels/promql.ts';
import { column, hiddenColumn, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/recorder.ts';

const runColumn = () =>
  column('run_id', 'Run', { width: 70, links: [dashboardLink('run', 'This run', { run: 'run_id' })] });

const emitters = tablePanel({
  id: 301,
  title: 'Processes, and what became of their records',
  description:
    'Each process numbers its records. missing must be none: those numbers left the process and never arrived; unknown of a sender that does not number its spans (weather.emitter.sequence). Silent for ' +
    'long and not ended: the process is dead; start one on its data directory, which adopts its spool. Conflict: its ' +
    'numbers prove nothing, as another process has its id.',
  noValue: 'No process has recorded anything for this validator',
  width: 24,
  height: 8,
  sql: queries.EMITTERS,
  columns: [
    column('instance_id', 'Process', { width: 200 }),
    instantColumn('heartbeat_at', 'Heartbeat'),
    secondsColumn('silent_for', 'Silent for'),
    instantColumn('closed_at', 'Ended'),
    messageColumn('conflict', 'Conflict'),
    column('missing', 'Missing', { width: 105 }),
    column('dropped', 'Dropped', { width: 105 }),
    countColumn('spooled', 'Spooled', { thresholds: ZERO_IS_USUAL, coloured: 'text' }),
    countColumn('last_sequence', 'Made'),
    countColumn('delivered_sequence', 'Delivered', { width: 85 }),
    instantColumn('first_seen', 'First step'),
    instantColumn('last_seen', 'Last step'),
  ],
});

const letters = tablePanel({
  id: 302,
  title: 'Dead letters',
  description:
    'Spans of the validator that could not be recorded, stored whole, and those that name none or an unknown one. The ' +
    'detail names the value and what is allowed. Remove the cause, then barograph dead-letters replay.',
  noValue: 'No span is a dead letter',
  width: 16,
  height: 9,
  sql: queries.DEAD_LETTERS,
  columns: [
    column('reason', 'Reason', { width: 160 }),
    column('phase', 'Seen at', { width: 80 }),
    column('validator_hotkey', 'Validator', { width: 110 }),
    runColumn(),
    messageColumn('detail', 'Detail'),
    column('instance_id', 'Process', { width: 150 }),
    traceColumn('span_id'),
    hiddenColumn('span_id'),
  ],
});

const lettersOverTime = promLinesPanel({
  id: 303,
  title: 'Dead letters by reason',
  description:
    'How many are stored. A rise marks the time at which a sender, a clock or the database went wrong.',
  unit: UNITS.count,
  noValue: 'No span is a dead letter',
  width: 8,
  height: 9,
  min: 0,
  queries: [{ expr: stateOf(METRICS.deadLetters), legend: '{{reason}}' }],
});

const lateEnds = tablePanel({
  id: 304,
  title: 'Steps that ended after they were given up',
  description:
    'Steps that were closed as abandoned and reported a real end afterwards; the real end counts. Many of them: processes ' +
    'freeze or lose their connection for minutes.',
  noValue: 'No step has ended after it was given up',
  width: 24,
  height: 7,
  sql: queries.LATE_ENDS,
  columns: [
    runColumn(),
    minerColumn({ run: 'run_id' }),
    stepColumn(),
    leadColumn(),
    countColumn('attempt', 'Attempt'),
    column('reason', 'Given up for', { width: 140 }),
    instantColumn('closed_at', 'Given up'),
    stepStatusColumn(),
    instantColumn('completed_at', 'Ended'),
    traceColumn('span_id'),
    hiddenColumn('span_id'),
  ],
});

export const recorderBooks: Section = {
  id: 300,
  title: 'The books',
  panels: [emitters, letters, lettersOverTime, lateEnds],
};
