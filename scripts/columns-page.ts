import {
  SPAN_FIELDS,
  type ColumnSource,
  type ColumnSources,
  type RecordedTable,
} from '#semconv/columns/column-source';
import { FORECAST_COLUMNS } from '#semconv/columns/forecast-columns';
import { LOG_COLUMNS } from '#semconv/columns/log-columns';
import { MINER_COLUMNS } from '#semconv/columns/miner-columns';
import { RUN_COLUMNS } from '#semconv/columns/run-columns';
import { cell, code, table } from '#semconv/reference-page';

/** Every recorded table with its columns. */
export const COLUMN_SOURCES: Readonly<Record<RecordedTable, ColumnSources>> = {
  ...RUN_COLUMNS,
  ...FORECAST_COLUMNS,
  ...LOG_COLUMNS,
  ...MINER_COLUMNS,
};

const INTRODUCTION = `## Columns, and what fills them

One line for each column of the recorded tables, with the attributes, events, fields of the span and other columns that
it follows from. The fields are, by the names of OTLP: ${SPAN_FIELDS.map(code).join(' ')}. “The newest” is the value of the
span with the latest end; that of a running span counts by its start. A \`fold\` is the state that the other columns of
its row are computed from.`;

const columnRow = ([name, { from, how }]: readonly [
  name: string,
  source: ColumnSource,
]): readonly string[] => [code(name), from.map(code).join(' '), cell(how)];

/** The part of the reference page that has a line for each column of the recorded tables, as Markdown. */
export function renderColumns(): string {
  const sections = Object.entries(COLUMN_SOURCES).map(
    ([name, columns]) =>
      `### ${code(name)}\n\n${table(['Column', 'Filled from', 'How'], Object.entries(columns).map(columnRow))}`,
  );
  return `${[INTRODUCTION, ...sections].join('\n\n')}\n`;
}
