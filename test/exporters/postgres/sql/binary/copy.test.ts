import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { copyRows } from '#postgres/sql/binary/copy';
import { column, insertRows, type Column } from '#postgres/sql/columns';
import { inTransaction } from '#database/transaction';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

interface Row {
  readonly id: number;
  readonly values: readonly unknown[];
}

const value = (index: number) => (row: Row) => row.values[index];
const COLUMNS: readonly Column<Row>[] = [
  column('id', 'int', ({ id }) => id),
  column('big', 'bigint', value(0)),
  column('number', 'float8', value(1)),
  column('flag', 'boolean', value(2)),
  column('words', 'text', value(3)),
  column('at', 'timestamptz', value(4)),
  column('kept', 'json', value(5)),
  column('asked', 'jsonb', value(6)),
];
const ROWS: readonly Row[] = [
  { id: 1, values: [-(2n ** 63n), -0.5, true, 'é😀', Date.UTC(1999, 11, 31) * 1000 + 1, '{"b": 1}', '[1]'] },
  { id: 2, values: [2 ** 53 - 1, NaN, false, '', Date.UTC(2026, 10, 28) * 1000 + 999_999, '1', 'null'] },
  { id: 3, values: [-(2 ** 53 - 1), -Infinity, null, null, null, null, null] },
  { id: 4, values: [null, null, null, 'a\tb\\N\n', 0, null, null] },
];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(
    `create table cells (id int primary key, big bigint, number float8, flag boolean, words text, at timestamptz,
       kept json, asked jsonb)`,
  );
});
beforeEach(() => database.pool.query('truncate cells'));
afterAll(() => database.drop());

const stored = async (): Promise<unknown[]> =>
  (
    await database.pool.query<object>(
      `select id, big::text, number, flag, words, kept::text, asked::text,
         to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at from cells order by id`,
    )
  ).rows;

const many = (count: number): Row[] =>
  Array.from({ length: count }, (_, id) => ({ id, values: [id, null, null, `word ${id}`] }));

const copied = (rows: readonly Row[]) =>
  inTransaction(database.pool, (client) => copyRows(client, 'cells', COLUMNS, rows));

describe('binary format', () => {
  it.each([
    ['copied', copied],
    [
      'inserted',
      async (rows: readonly Row[]) => {
        const insert = await insertRows('cells', COLUMNS, rows, 'do nothing');
        await database.pool.query(insert.text, insert.values);
      },
    ],
  ])('values of every type round-trip when %s', async (_how, write) => {
    await write(ROWS);
    expect(await stored()).toEqual([
      {
        id: 1,
        big: '-9223372036854775808',
        number: -0.5,
        flag: true,
        words: 'é😀',
        at: '1999-12-31 00:00:00.000001',
        kept: '{"b": 1}',
        asked: '[1]',
      },
      {
        id: 2,
        big: '9007199254740991',
        number: NaN,
        flag: false,
        words: '',
        at: '2026-11-28 00:00:00.999999',
        kept: '1',
        asked: 'null',
      },
      {
        id: 3,
        big: '-9007199254740991',
        number: -Infinity,
        flag: null,
        words: null,
        at: null,
        kept: null,
        asked: null,
      },
      {
        id: 4,
        big: null,
        number: null,
        flag: null,
        words: 'a\tb\\N\n',
        at: '1970-01-01 00:00:00.000000',
        kept: null,
        asked: null,
      },
    ]);
  });
});

describe('copyRows', () => {
  it('a copy of many rows is sent in parts and complete', async () => {
    await copied(many(1777));
    const { rows } = await database.pool.query<{ count: number }>('select count(*)::int as count from cells');
    expect(rows).toEqual([{ count: 1777 }]);
  });

  it('a copy of no rows writes nothing', async () => {
    await copied([]);
    expect(await stored()).toEqual([]);
  });

  it.each([0, 1200, 1999])(
    'a copy that conflicts at row %i fails as a whole and leaves the connection usable',
    async (id) => {
      await copied(many(2000).slice(id, id + 1));
      await inTransaction(database.pool, async (client) => {
        await client.query('savepoint before');
        await expect(copyRows(client, 'cells', COLUMNS, many(2000))).rejects.toMatchObject({ code: '23505' });
        await client.query('rollback to savepoint before');
        await copyRows(client, 'cells', COLUMNS, many(3000).slice(2000));
      });
      expect(await stored()).toHaveLength(1001);
    },
  );

  it.each([
    ['a number beyond int', { id: 2 ** 31, values: [] }],
    ['a number beyond bigint', { id: 700, values: [2n ** 63n] }],
    ['a number that is none', { id: 700, values: [0.5] }],
  ])('a copy of %s throws and leaves the connection usable', async (_what, wrong) => {
    await inTransaction(database.pool, async (client) => {
      await client.query('savepoint before');
      await expect(copyRows(client, 'cells', COLUMNS, [...many(600), wrong])).rejects.toMatchObject({
        code: '22003',
      });
      await client.query('rollback to savepoint before');
    });
    expect(await stored()).toEqual([]);
  });

  it('a copy rejects when its connection is lost', async () => {
    const client = await database.pool.connect();
    client.on('error', () => undefined);
    const lost = copyRows(client, 'cells', COLUMNS, many(2000));
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await expect(lost).rejects.toThrow();
    client.release(true);
  });
});
