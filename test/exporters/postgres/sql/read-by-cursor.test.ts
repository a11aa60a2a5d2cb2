import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readByCursor } from '#postgres/sql/read-by-cursor';
import { inTransaction } from '#database/transaction';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

const numbersTo = (last: number, name = 'numbers') => ({
  name,
  text: 'select number from generate_series(1, $1::int) as number',
  values: [last],
  size: 3,
});

describe('readByCursor', () => {
  it.each([
    [0, []],
    [3, [3]],
    [7, [3, 3, 1]],
  ])('%i rows are read in portions, each row once', async (last, sizes) => {
    const portions: number[][] = [];
    await inTransaction(database.pool, async (client) => {
      for await (const rows of readByCursor<{ number: number }>(client, numbersTo(last)))
        portions.push(rows.map(({ number }) => number));
    });
    expect(portions.map(({ length }) => length)).toEqual(sizes);
    expect(portions.flat()).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  });

  it('other queries run between portions and the cursor name is reusable afterwards', async () => {
    const seen: number[] = [];
    await inTransaction(database.pool, async (client) => {
      for await (const rows of readByCursor(client, numbersTo(4)))
        for await (const others of readByCursor(client, numbersTo(2, 'others')))
          seen.push(rows.length * others.length);
    });
    expect(seen).toEqual([6, 2]);
  });
});
