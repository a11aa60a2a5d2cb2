import type { ClientBase } from 'pg';
import type { DecisionFact } from '#facts/step-fact';
import { column, insertRows } from '../sql/columns.ts';
import type { RecordedFact } from './recorded-fact.ts';

interface Row extends RecordedFact {
  readonly decision: DecisionFact;
}

const COLUMNS = [
  column<Row>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<Row>('trace_id', 'text', ({ fact }) => fact.traceId),
  column<Row>('span_id', 'text', ({ fact }) => fact.spanId),
  column<Row>('decision_index', 'int', ({ decision }) => decision.index),
  column<Row>('run_id', 'bigint', ({ fact }) => fact.runId),
  column<Row>('job_id', 'bigint', ({ fact }) => fact.queueJobId),
  column<Row>('created_at', 'timestamptz', ({ decision }) => decision.at),
  column<Row>('level', 'text', ({ decision }) => decision.level),
  column<Row>('decision', 'text', ({ decision }) => decision.decision),
  column<Row>('reason', 'text', ({ decision }) => decision.reason),
  column<Row>(
    'message',
    'text',
    ({ decision }) => `Orchestration: ${decision.decision} - ${decision.reason}`,
  ),
];

/** Appends the orchestration decisions of new log rows to `validator_job_logs`. */
export async function writeJobLogs(client: ClientBase, facts: readonly RecordedFact[]): Promise<number> {
  const rows = facts.flatMap((recorded) =>
    recorded.fact.decisions.map((decision) => ({ ...recorded, decision })),
  );
  if (rows.length === 0) return 0;
  const insert = await insertRows('validator_job_logs', COLUMNS, rows, 'do nothing');
  await client.query(insert.text, insert.values);
  return rows.length;
}
