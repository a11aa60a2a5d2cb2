import { printableText, printableValue } from '#semconv/printable-text';
import type { Reconciled, ReconciledMetrics } from '#maintenance/maintenance';

/** Differences that are printed; the JSON document lists more. */
const SHOWN = 20;
const MAX_VALUE_LENGTH = 80;

const shorten = (text: string): string =>
  text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH - 1)}…` : text;
const valueOf = (text: string | null): string => (text === null ? 'nothing' : shorten(text));

/** The first lines, and the number of the rest. */
function firstOf(lines: readonly string[], count: number): readonly string[] {
  const more = count - Math.min(lines.length, SHOWN);
  return [...lines.slice(0, SHOWN), ...(more > 0 ? [`… and ${more} more`] : [])];
}

/** The differences between the projections and the log of a validator, or of all, as lines. */
export function differenceLines(reconciled: Reconciled, validatorHotkey: string | null): readonly string[] {
  const { rows, differences, differenceCount } = printableValue(reconciled);
  const log = validatorHotkey === null ? 'the log' : `the log of validator ${printableText(validatorHotkey)}`;
  const compared = Object.entries(rows).map(([table, count]) => `  ${table}: ${count}`);
  if (differenceCount === 0) {
    return compared.length === 0
      ? ['The log is empty.']
      : [`The tables match ${log}. Rows compared:`, ...compared];
  }
  const lines = differences.map(({ table, key, column, inTables, fromLog }) => {
    const place = Object.entries(key).map(([name, value]) => `${name} ${value}`);
    return `${[table, ...place].join(', ')}${column === null ? '' : `: ${column}`}: ${valueOf(inTables)} in the tables, ${valueOf(fromLog)} from the log`;
  });
  return [`${differenceCount} values differ from ${log}:`, ...firstOf(lines, differenceCount)];
}

/** The differences between the metrics of a process and `miner_stats`, as lines. */
export function seriesLines(metrics: ReconciledMetrics): readonly string[] {
  const { url, namesDatabase, miners, differences } = printableValue(metrics);
  const doubt = namesDatabase
    ? []
    : [
        `The process at ${url} does not say which database it shows, as earlier versions do not: it may be another.`,
      ];
  if (differences.length === 0)
    return [`The metrics at ${url} match miner_stats (${miners} miners).`, ...doubt];
  const lines = differences.map(
    ({ series, served, wanted }) => `${series}: ${valueOf(served)} served, ${valueOf(wanted)} in miner_stats`,
  );
  const head = `${differences.length} series at ${url} differ from miner_stats:`;
  return [...doubt, head, ...firstOf(lines, differences.length)];
}
