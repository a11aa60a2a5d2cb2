import { describe, expect, it } from 'vitest';
import { textTable } from '#reports/text-table';

interface Row {
  readonly name: string;
  readonly count: number;
}
const COLUMNS = [
  { heading: 'name', value: ({ name }: Row) => name },
  { heading: 'count', value: ({ count }: Row) => String(count), isNumber: true },
] as const;

describe('a text table', () => {
  it('a text table lines words up at the left and numbers at the right, under their headings, without trailing spaces', () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'longer', count: 123_456 },
    ];
    expect(textTable(COLUMNS, rows)).toBe(
      ['name     count', '──────  ──────', 'a            1', 'longer  123456'].join('\n'),
    );
  });

  it('a text table is its headings alone when there is no row', () => {
    expect(textTable(COLUMNS, [])).toBe(['name  count', '────  ─────'].join('\n'));
  });

  it('a text table ends no line with spaces, so that it can be pasted', () => {
    const lines = textTable([COLUMNS[0], { heading: 'note', value: () => '' }], [{ name: 'a', count: 0 }]);
    expect(lines.split('\n').at(-1)).toBe('a');
  });
});
