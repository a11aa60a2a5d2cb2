import type { Pool } from 'pg';

import { isOurs, renderComment } from './namespaces.ts';

interface RoutineRow {
  readonly signature: string;
  readonly kind: 'function' | 'procedure';
  readonly definition: string;
  readonly comment: string | null;
}

interface TypeRow {
  readonly name: string;
  readonly definition: string;
  readonly comment: string | null;
}

/** Reads every function and procedure and gives one paragraph for each. */
export async function renderRoutines(pool: Pool, omittedSchemas: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<RoutineRow>(
    `select p.oid::regprocedure::text as signature, case p.prokind when 'p' then 'procedure' else 'function' end as kind,
        pg_get_functiondef(p.oid) as definition, obj_description(p.oid, 'pg_proc') as comment
      from pg_proc p
      where p.prokind in ('f', 'p') and ${isOurs('p.pronamespace', 'p.oid')}
      order by p.oid::regprocedure::text collate "C"`,
    [omittedSchemas],
  );
  return rows.map(({ signature, kind, definition, comment }) =>
    [`${definition.trimEnd()};`, ...renderComment(`${kind} ${signature}`, comment)].join('\n'),
  );
}

/** Reads every enumeration and domain and gives one paragraph for each. */
export async function renderTypes(pool: Pool, omittedSchemas: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<TypeRow>(
    `select t.oid::regtype::text as name, obj_description(t.oid, 'pg_type') as comment,
        case t.typtype
          when 'e' then 'create type ' || t.oid::regtype || ' as enum ('
            || (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
                from pg_enum e where e.enumtypid = t.oid) || ')'
          else 'create domain ' || t.oid::regtype || ' as ' || format_type(t.typbasetype, t.typtypmod)
            || coalesce((select string_agg(' ' || pg_get_constraintdef(n.oid), '' order by n.conname collate "C")
                from pg_constraint n where n.contypid = t.oid and n.contype = 'c'), '')
        end as definition
      from pg_type t
      where t.typtype in ('e', 'd') and ${isOurs('t.typnamespace', 't.oid')}
      order by t.oid::regtype::text collate "C"`,
    [omittedSchemas],
  );
  return rows.map(({ name, definition, comment }) =>
    [`${definition};`, ...renderComment(`type ${name}`, comment)].join('\n'),
  );
}

/** Reads the sequences that stand alone, that is, belong to no identity column. */
export async function renderSequences(pool: Pool, omittedSchemas: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; type: string }>(
    `select c.oid::regclass::text as name, s.seqtypid::regtype::text as type
      from pg_class c join pg_sequence s on s.seqrelid = c.oid
      where not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i')
        and ${isOurs('c.relnamespace', 'c.oid')}
      order by c.oid::regclass::text collate "C"`,
    [omittedSchemas],
  );
  return rows.map(({ name, type }) => `create sequence ${name} as ${type};`);
}
