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

describe('textTable', () => {
  it('text is left-aligned and numbers are right-aligned under their headings', () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'longer', count: 123_456 },
    ];
    expect(textTable(COLUMNS, rows)).toBe(
      ['name     count', '──────  ──────', 'a            1', 'longer  123456'].join('\n'),
    );
  });

  it('a table without rows has its headings only', () => {
    expect(textTable(COLUMNS, [])).toBe(['name  count', '────  ─────'].join('\n'));
  });

  it('no line ends with spaces, so that the table can be pasted', () => {
    const lines = textTable([COLUMNS[0], { heading: 'note', value: () => '' }], [{ name: 'a', count: 0 }]);
    expect(lines.split('\n').at(-1)).toBe('a');
  });
});
