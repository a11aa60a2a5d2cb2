import { printableText } from '#semconv/printable-text';

/** One column of a text table: heading, cell text of a row, and whether cells are right-aligned as numbers. */
export interface TextColumn<Row> {
  readonly heading: string;
  readonly value: (row: Row) => string;
  readonly isNumber?: boolean;
}

/** Formats rows as aligned columns, two spaces apart, with a rule under the headings. No cell can leave its line. */
export function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => printableText(value(row))));
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.isNumber ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ heading }) => heading)),
    line(widths.map((width) => '─'.repeat(width))),
    ...cells.map(line),
  ].join('\n');
}
