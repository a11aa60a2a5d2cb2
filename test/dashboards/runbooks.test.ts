import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'dashboards', 'runbooks');
const RUNBOOKS = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);

/** In blocks of their own and within a line. */
function statementsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```sql\n([^`]*)```/g)].map(([, sql = '']) => sql);
  const inline = [...text.matchAll(/`(select [^`]*)`/g)].map(([, sql = '']) => sql);
  return [...blocks, ...inline].flatMap((sql) => sql.split(';')).filter((sql) => sql.trim() !== '');
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('SQL of the runbooks', () => {
  it('nearly all runbooks have SQL', () => {
    const withSql = RUNBOOKS.filter(([, text]) => statementsOf(text).length > 0);
    expect(withSql.length).toBeGreaterThan(RUNBOOKS.length * 0.9);
  });

  it.each(RUNBOOKS)('every statement of %s runs unchanged', async (_, text) => {
    for (const statement of statementsOf(text))
      await expect(database.pool.query(statement), statement).resolves.toBeDefined();
  });
});
