import type { ClientBase } from 'pg';
import { microsOfIso } from '#facts/instants';
import type { ClosingReason } from '#semconv';
import { column, keyRows } from '../sql/columns.ts';
import type { EndPrecedence } from './end-precedence.ts';
import { RUN_KEY, runsOf, type RecordedFact } from './recorded-fact.ts';

/** What the log holds of the steps of a batch before the batch is written. */
export interface KnownRows {
  /** The closings of ended steps. */
  readonly closings: ReadonlyMap<RecordedFact, EndPrecedence>;
  /** The ended steps that have a running row. */
  readonly running: ReadonlySet<RecordedFact>;
  /** The started steps that have ended. */
  readonly ended: ReadonlySet<RecordedFact>;
}

const SPAN_KEY = [
  column<RecordedFact>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<RecordedFact>('trace_id', 'text', ({ fact }) => fact.traceId),
  column<RecordedFact>('span_id', 'text', ({ fact }) => fact.spanId),
  column<RecordedFact>('started_at', 'timestamptz', ({ fact }) => fact.startedAt),
];

interface Row {
  readonly kind: keyof KnownRows;
  readonly validator_id: number;
  readonly trace_id: string;
  readonly span_id: string;
  readonly reason: ClosingReason | null;
  readonly closed_at: string | null;
}

const keyText = (validatorId: number, traceId: string, spanId: string): string =>
  `${validatorId}/${traceId}/${spanId}`;

/**
 * Reads them in one statement: every round trip of a batch delays its rows, most of all on a busy machine. Few steps run
 * at once and hardly any is closed, so of both all of a run are read instead of looked up one by one. The row locks on
 * the validators keep other writers from changing them before the commit.
 */
export async function readKnownRows(
  client: ClientBase,
  ended: readonly RecordedFact[],
  started: readonly RecordedFact[],
): Promise<KnownRows> {
  if (ended.length + started.length === 0) return toKnownRows([], ended, started);
  const runs = keyRows(RUN_KEY, runsOf(ended));
  const spans = keyRows(SPAN_KEY, started, RUN_KEY.length);
  const { rows } = await client.query<Row>(
    `select 'closings' as kind, closed.validator_id, closed.trace_id, closed.span_id, closed.reason,
       to_char(closed.closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as closed_at
     from closed_spans as closed join ${runs.text} using (validator_id, run_id)
     union all
     select 'running', running.validator_id, running.trace_id, running.span_id, null, null
     from weather_forecast_steps_running as running join ${runs.text} using (validator_id, run_id)
     union all
     select 'ended', key.validator_id, key.trace_id, key.span_id, null, null from ${spans.text}
     where exists (select from weather_forecast_steps_finished as finished
       where (finished.validator_id, finished.trace_id, finished.span_id, finished.started_at)
           = (key.validator_id, key.trace_id, key.span_id, key.started_at))`,
    [...runs.values, ...spans.values],
  );
  return toKnownRows(rows, ended, started);
}

function toKnownRows(
  rows: readonly Row[],
  ended: readonly RecordedFact[],
  started: readonly RecordedFact[],
): KnownRows {
  const found = (kind: Row['kind'], facts: readonly RecordedFact[]): ReadonlyMap<RecordedFact, Row> => {
    const ofKind = rows.filter((row) => row.kind === kind);
    if (ofKind.length === 0) return new Map();
    const byKey = new Map(ofKind.map((row) => [keyText(row.validator_id, row.trace_id, row.span_id), row]));
    return new Map(
      facts.flatMap((recordedFact) => {
        const { validatorId, fact } = recordedFact;
        const row = byKey.get(keyText(validatorId, fact.traceId, fact.spanId));
        return row === undefined ? [] : [[recordedFact, row] as const];
      }),
    );
  };
  const closings = [...found('closings', ended)].map(([fact, { reason, closed_at: at }]) => {
    return [fact, { closing: reason, completedAt: microsOfIso(at ?? '') }] as const;
  });
  return {
    closings: new Map(closings),
    running: new Set(found('running', ended).keys()),
    ended: new Set(found('ended', started).keys()),
  };
}
