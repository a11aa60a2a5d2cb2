import type { ClientBase } from 'pg';
import { column, insertRows } from '../sql/columns.ts';
import { logicalTimestampOf } from '../projections/lww-register.ts';
import { groupBy, type RecordedFact } from '../log/recorded-fact.ts';

interface Row {
  readonly validatorId: number;
  readonly instanceId: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly spans: number;
  readonly ended: number;
}

const COLUMNS = [
  column<Row>('validator_id', 'int', (row) => row.validatorId),
  column<Row>('instance_id', 'text', (row) => row.instanceId),
  column<Row>('first_seen', 'timestamptz', (row) => row.firstSeen),
  column<Row>('last_seen', 'timestamptz', (row) => row.lastSeen),
  column<Row>('spans', 'bigint', (row) => row.spans),
  column<Row>('ended_spans', 'bigint', (row) => row.ended),
];

const CONFLICT = `(validator_id, instance_id) do update set
  first_seen = least(emitter.first_seen, excluded.first_seen),
  last_seen = greatest(emitter.last_seen, excluded.last_seen),
  spans = emitter.spans + excluded.spans,
  ended_spans = emitter.ended_spans + excluded.ended_spans`;

/**
 * Facts whose span was counted before: ends of spans counted while running (`known`), or closed before (`replaced`).
 */
export interface CountedBefore {
  readonly known: ReadonlySet<RecordedFact>;
  readonly replaced: ReadonlyMap<RecordedFact, RecordedFact>;
}

function toRow(facts: readonly RecordedFact[], { known, replaced }: CountedBefore): Row[] {
  const [first] = facts;
  if (!first?.fact.instanceId) return [];
  return [
    {
      validatorId: first.validatorId,
      instanceId: first.fact.instanceId,
      firstSeen: Math.min(...facts.map(({ fact }) => fact.startedAt)),
      lastSeen: Math.max(...facts.map(({ fact }) => logicalTimestampOf(fact)[0])),
      spans: facts.filter((fact) => !known.has(fact) && !replaced.has(fact)).length,
      ended: facts.filter((fact) => fact.fact.phase === 'ended' && !replaced.has(fact)).length,
    },
  ];
}

/** Upserts the span counts of each emitter; every span counts once. */
export async function countEmitters(
  client: ClientBase,
  facts: readonly RecordedFact[],
  before: CountedBefore,
): Promise<void> {
  const groups = groupBy(facts, ({ validatorId, fact }) => `${validatorId}/${fact.instanceId ?? ''}`);
  const rows = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, group]) => toRow(group, before));
  if (rows.length === 0) return;
  const insert = await insertRows('emitters as emitter', COLUMNS, rows, CONFLICT);
  await client.query(insert.text, insert.values);
}
