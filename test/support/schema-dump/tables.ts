import type { Pool } from 'pg';

import type { ColumnRow } from './columns.ts';
import { renderColumn, renderColumnComments } from './columns.ts';
import { isOurs, renderComment } from './namespaces.ts';

/** One table, partitioned table or partition. */
interface TableRow {
  readonly name: string;
  readonly comment: string | null;
  readonly isUnlogged: boolean;
  readonly storage: string | null;
  /** The parent of a partition. */
  readonly parent: string | null;
  readonly bound: string | null;
  /** How a partitioned table is divided. */
  readonly partitionKey: string | null;
}

/** A constraint, an index or a trigger of a table. */
interface PartRow {
  readonly relation: string;
  readonly kind: 'constraint' | 'index' | 'trigger';
  readonly name: string;
  readonly definition: string;
  readonly comment: string | null;
}

/** Reads every table and gives one paragraph for each. */
export async function renderTables(
  pool: Pool,
  columns: readonly ColumnRow[],
  omittedSchemas: readonly string[],
): Promise<{ name: string; text: string }[]> {
  const [tables, parts] = await Promise.all([
    readTables(pool, omittedSchemas),
    readParts(pool, omittedSchemas),
  ]);
  return tables.map((table) => ({
    name: table.name,
    text: renderTable(
      table,
      columns.filter(({ relation }) => relation === table.name),
      parts.filter(({ relation }) => relation === table.name),
    ),
  }));
}

async function readTables(pool: Pool, omittedSchemas: readonly string[]): Promise<TableRow[]> {
  const { rows } = await pool.query<TableRow>(
    `select c.oid::regclass::text as name, obj_description(c.oid, 'pg_class') as comment,
        c.relpersistence = 'u' as "isUnlogged", array_to_string(c.reloptions, ', ') as storage,
        case when c.relispartition then i.inhparent::regclass::text end as parent,
        pg_get_expr(c.relpartbound, c.oid) as bound, pg_get_partkeydef(c.oid) as "partitionKey"
      from pg_class c
      left join pg_inherits i on i.inhrelid = c.oid
      where c.relkind in ('r', 'p') and ${isOurs('c.relnamespace', 'c.oid')}
      order by c.oid::regclass::text collate "C"`,
    [omittedSchemas],
  );
  return rows;
}

/** What a partition has from its parent is left out, and so is the index that belongs to a constraint. */
async function readParts(pool: Pool, omittedSchemas: readonly string[]): Promise<PartRow[]> {
  const { rows } = await pool.query<PartRow>(
    `with parts as (
        select n.conrelid as relation, 'constraint' as kind, n.conname as name,
          pg_get_constraintdef(n.oid) as definition, obj_description(n.oid, 'pg_constraint') as comment
        from pg_constraint n
        where n.contype in ('p', 'u', 'f', 'c', 'x') and n.conislocal and n.conparentid = 0
        union all
        select x.indrelid, 'index', c.relname, pg_get_indexdef(c.oid), obj_description(c.oid, 'pg_class')
        from pg_index x join pg_class c on c.oid = x.indexrelid
        where not c.relispartition and not exists (
          select from pg_constraint n where n.conindid = c.oid and n.contype in ('p', 'u', 'x'))
        union all
        select g.tgrelid, 'trigger', g.tgname, pg_get_triggerdef(g.oid), obj_description(g.oid, 'pg_trigger')
        from pg_trigger g
        where not g.tgisinternal and g.tgparentid = 0
      )
      select p.relation::regclass::text as relation, p.kind, quote_ident(p.name) as name, p.definition, p.comment
      from parts p join pg_class c on c.oid = p.relation
      where ${isOurs('c.relnamespace', 'c.oid')}
      order by p.relation::regclass::text collate "C", p.kind, p.name collate "C"`,
    [omittedSchemas],
  );
  return rows;
}

function renderTable(table: TableRow, columns: readonly ColumnRow[], parts: readonly PartRow[]): string {
  const constraints = parts.filter(({ kind }) => kind === 'constraint');
  const lines = constraints.map(({ name, definition }) => `constraint ${name} ${definition}`);
  const body = table.parent === null ? [...columns.map(renderColumn), ...lines] : lines;
  const head = `create ${table.isUnlogged ? 'unlogged ' : ''}table ${table.name}`;
  const origin = table.parent === null ? '' : ` partition of ${table.parent}`;
  const block = body.length === 0 ? '' : ` (\n  ${body.join(',\n  ')}\n)`;
  const bound = table.bound === null ? '' : ` ${table.bound}`;
  const division = table.partitionKey === null ? '' : ` partition by ${table.partitionKey}`;
  const storage = table.storage === null ? '' : ` with (${table.storage})`;
  return [
    `${head}${origin}${block}${bound}${division}${storage};`,
    ...parts.filter(({ kind }) => kind !== 'constraint').map(({ definition }) => `${definition};`),
    ...renderComment(`table ${table.name}`, table.comment),
    ...(table.parent === null ? renderColumnComments(columns) : []),
    ...parts.flatMap((part) => renderComment(renderPartName(part), part.comment)),
  ].join('\n');
}

/** Constraints and triggers are named with their table, indexes are not. */
function renderPartName({ kind, name, relation }: PartRow): string {
  return kind === 'index' ? `index ${name}` : `${kind} ${name} on ${relation}`;
}
