import type { Pool } from 'pg';

import type { ColumnRow } from './columns.ts';
import { renderColumnComments } from './columns.ts';
import { isOurs, renderComment } from './namespaces.ts';

interface ViewRow {
  readonly name: string;
  readonly kind: 'view' | 'materialized view';
  readonly definition: string;
  readonly comment: string | null;
}

/** Reads every view and gives one paragraph for each. */
export async function renderViews(
  pool: Pool,
  columns: readonly ColumnRow[],
  omittedSchemas: readonly string[],
): Promise<string[]> {
  const { rows } = await pool.query<ViewRow>(
    `select c.oid::regclass::text as name, case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
        pg_get_viewdef(c.oid, true) as definition, obj_description(c.oid, 'pg_class') as comment
      from pg_class c
      where c.relkind in ('v', 'm') and ${isOurs('c.relnamespace', 'c.oid')}
      order by c.oid::regclass::text collate "C"`,
    [omittedSchemas],
  );
  return rows.map(({ name, kind, definition, comment }) =>
    [
      `create ${kind} ${name} as\n${normalizeViewDefinition(definition)}`,
      ...renderComment(`${kind} ${name}`, comment),
      ...renderColumnComments(columns.filter(({ relation }) => relation === name)),
    ].join('\n'),
  );
}

/**
 * Makes the definition of a view the same on every major version of PostgreSQL.
 *
 * Over a single table 15 writes `t.a` where newer ones write `a` in the outermost query. There the prefix is redundant,
 * so it is taken away; a view over several tables is written alike by all and stays as it is.
 */
export function normalizeViewDefinition(definition: string): string {
  const alias = findOnlySource(definition);
  if (alias === undefined) return definition;
  const prefix = new RegExp(String.raw`(?<![\w".])${alias.replaceAll('$', String.raw`\$`)}\.(?=[\w"])`, 'g');
  return definition.replaceAll(prefix, '');
}

/** The alias of the only thing after the outermost FROM, which the server indents by three blanks. */
function findOnlySource(definition: string): string | undefined {
  const lines = definition.split('\n');
  const outermost = lines.filter((line) => /^ {3}FROM /.test(line));
  const [line] = outermost;
  if (outermost.length !== 1 || line === undefined || /^(UNION|INTERSECT|EXCEPT)/m.test(definition))
    return undefined;
  const follower = lines[lines.indexOf(line) + 1] ?? '';
  if (line.endsWith(',') || /^\s+(LEFT |RIGHT |FULL |CROSS )?JOIN /.test(follower)) return undefined;
  return /^ {3}FROM (?:\S+ )?(\w+|"[^"]+");?$/.exec(line)?.[1];
}
