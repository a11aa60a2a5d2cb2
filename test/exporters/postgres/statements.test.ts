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

describe('statement builders', () => {
  it('an insert has the same text for any number of rows', async () => {
    const two = await insertRows('pairs', COLUMNS, PAIRS, 'do nothing');
    expect(two).toEqual({
      text: 'insert into pairs (a, b) select * from unnest($1::int[], $2::text[]) on conflict do nothing',
      values: [arrayOf('int', [1, 2]), arrayOf('text', ['one', null])],
    });
    const one = await insertRows('pairs', COLUMNS, PAIRS.slice(1), 'do nothing');
    expect(one.text).toBe(two.text);
  });

  it('an upsert replaces every column outside the key', () => {
    expect(replaceOnConflict(COLUMNS, ['a'])).toBe('(a) do update set b = excluded.b');
  });

  it('key rows are a row source to join with', () => {
    expect(keyRows(COLUMNS.slice(0, 1), PAIRS)).toEqual({
      text: 'unnest($1::int[]) as key (a)',
      values: [arrayOf('int', [1, 2])],
    });
  });
});

describe('SQL values', () => {
  it('a timestamp keeps its microseconds', () => {
    expect(timestamp(Date.UTC(2026, 10, 23) * 1000 + 1)).toBe('2026-11-23T00:00:00.000001Z');
    expect(timestamp(null)).toBeNull();
  });

  it('a missing value is SQL null rather than JSON null', () => {
    expect(json({ b: 1, a: [{ d: 2, c: null }] })).toBe('{"b":1,"a":[{"d":2,"c":null}]}');
    expect([json(null), json(undefined)]).toEqual([null, null]);
  });
});

describe('responseId', () => {
  it('the id is deterministic, distinct per run and miner, and fits a double', () => {
    expect(responseId(1, '5Good')).toBe(5188278654789250);
    const ids = [1, 2, 3].flatMap((run) => ['5A', '5B'].map((hotkey) => responseId(run, hotkey)));
    expect(new Set(ids).size).toBe(6);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });
});
