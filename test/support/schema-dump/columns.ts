import type { Pool } from 'pg';

import { isOurs, renderComment } from './namespaces.ts';

/** One column of a table or view. */
export interface ColumnRow {
  readonly relation: string;
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly defaultExpression: string | null;
  /** `a` always, `d` by default, empty for no identity column. */
  readonly identity: '' | 'a' | 'd';
  /** `s` stored, `v` virtual, empty for no generated column. */
  readonly generated: '' | 's' | 'v';
  readonly comment: string | null;
}

/** Reads the columns of all tables and views, in their order within each. */
export async function readColumns(pool: Pool, omittedSchemas: readonly string[]): Promise<ColumnRow[]> {
  const { rows } = await pool.query<ColumnRow>(
    `select c.oid::regclass::text as relation, quote_ident(a.attname) as name,
        format_type(a.atttypid, a.atttypmod)
          || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end as type,
        a.attnotnull as "isRequired", pg_get_expr(d.adbin, d.adrelid) as "defaultExpression",
        a.attidentity as identity, a.attgenerated as generated, col_description(c.oid, a.attnum) as comment
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relkind in ('r', 'p', 'v', 'm') and ${isOurs('c.relnamespace', 'c.oid')}
      order by c.oid::regclass::text collate "C", a.attnum`,
    [omittedSchemas],
  );
  return rows;
}

/** The line of a column in `create table`. */
export function renderColumn(column: ColumnRow): string {
  const required = column.isRequired && column.identity === '' ? ' not null' : '';
  return `${column.name} ${column.type}${renderValue(column)}${required}`;
}

function renderValue({ identity, generated, defaultExpression }: ColumnRow): string {
  if (identity !== '') return ` generated ${identity === 'a' ? 'always' : 'by default'} as identity`;
  if (defaultExpression === null) return '';
  if (generated !== '')
    return ` generated always as (${defaultExpression})${generated === 's' ? ' stored' : ''}`;
  return ` default ${defaultExpression}`;
}

/** The comments on columns, one line each. */
export function renderColumnComments(columns: readonly ColumnRow[]): string[] {
  return columns.flatMap(({ relation, name, comment }) =>
    renderComment(`column ${relation}.${name}`, comment),
  );
}
