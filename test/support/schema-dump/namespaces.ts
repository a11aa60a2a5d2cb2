/**
 * The condition by which a catalogue row belongs to us and not to PostgreSQL: its schema is not the system's, and no
 * extension brought it. `$1` is the list of schemas to leave out besides.
 *
 * @param schema the expression that gives the row's schema number.
 * @param object the expression that gives the row's own number.
 */
export function isOurs(schema: string, object: string): string {
  return `${schema} in (
      select oid from pg_namespace
      where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all ($1::text[])
    ) and not exists (select from pg_depend d where d.objid = ${object} and d.deptype = 'e')`;
}

/** A text as an SQL literal. */
function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `comment on …;` or nothing when there is no comment. */
export function renderComment(object: string, comment: string | null): string[] {
  return comment === null ? [] : [`comment on ${object} is ${quoteLiteral(comment)};`];
}
