import { describe, expect, it } from 'vitest';
import { arrayOf } from '#postgres/sql/binary/arrays';
import { column, insertRows, keyRows, replaceOnConflict } from '#postgres/sql/columns';
import { responseId } from '#postgres/log/response-id';
import { json, timestamp } from '#postgres/sql/sql-values';

interface Pair {
  readonly a: number;
  readonly b: string | null;
}
const COLUMNS = [column<Pair>('a', 'int', ({ a }) => a), column<Pair>('b', 'text', ({ b }) => b)];
const PAIRS = [
  { a: 1, b: 'one' },
  { a: 2, b: null },
];

describe('the statements of the writer', () => {
  it('the statements of the writer insert any number of rows with the same text, so that the server plans it once', async () => {
    const two = await insertRows('pairs', COLUMNS, PAIRS, 'do nothing');
    expect(two).toEqual({
      text: 'insert into pairs (a, b) select * from unnest($1::int[], $2::text[]) on conflict do nothing',
      values: [arrayOf('int', [1, 2]), arrayOf('text', ['one', null])],
    });
    const one = await insertRows('pairs', COLUMNS, PAIRS.slice(1), 'do nothing');
    expect(one.text).toBe(two.text);
  });

  it('the statements of the writer replace everything but the key', () => {
    expect(replaceOnConflict(COLUMNS, ['a'])).toBe('(a) do update set b = excluded.b');
  });

  it('the statements of the writer join with keys as with a table', () => {
    expect(keyRows(COLUMNS.slice(0, 1), PAIRS)).toEqual({
      text: 'unnest($1::int[]) as key (a)',
      values: [arrayOf('int', [1, 2])],
    });
  });
});

describe('a value on its way into the database', () => {
  it('a value on its way into the database keeps its microseconds as a timestamp', () => {
    expect(timestamp(Date.UTC(2026, 10, 23) * 1000 + 1)).toBe('2026-11-23T00:00:00.000001Z');
    expect(timestamp(null)).toBeNull();
  });

  it('a value on its way into the database is JSON, and SQL null rather than JSON null for nothing', () => {
    expect(json({ b: 1, a: [{ d: 2, c: null }] })).toBe('{"b":1,"a":[{"d":2,"c":null}]}');
    expect([json(null), json(undefined)]).toEqual([null, null]);
  });
});

describe('the number of a forecast', () => {
  it('the number of a forecast is the same for every writer, another for every run and miner, and fits a double', () => {
    expect(responseId(1, '5Good')).toBe(5188278654789250);
    const ids = [1, 2, 3].flatMap((run) => ['5A', '5B'].map((hotkey) => responseId(run, hotkey)));
    expect(new Set(ids).size).toBe(6);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });
});
