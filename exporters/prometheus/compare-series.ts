import { METRICS } from '#semconv/metrics';
import { MIRRORED_COLUMNS } from './miner-series.ts';

/** A series whose served value differs from the wanted one; null where that text has no such series. */
export interface DifferingSeries {
  readonly series: string;
  readonly served: string | null;
  readonly wanted: string | null;
}

const MINER_METRICS: ReadonlySet<string> = new Set(MIRRORED_COLUMNS.map(({ metric }) => metric.name));

/** The values of the series that mirror `miner_stats` by name and labels, from a classic text. */
function minerSeries(text: string): ReadonlyMap<string, string> {
  const series = new Map<string, string>();
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    const [name = ''] = line.split(/[{ ]/, 1);
    if (MINER_METRICS.has(name)) series.set(line.slice(0, end), line.slice(end + 1));
  }
  return series;
}

/** Whether the text comes from a process that mirrors `miner_stats`, even of no miner yet. */
export const mirrorsMiners = (text: string): boolean =>
  [...MINER_METRICS].every((name) => text.includes(`# TYPE ${name} `));

const DATABASE_SERIES = new RegExp(`^${METRICS.databaseInfo.name}\\{(?:.*,)?database_id="([^"]*)"`, 'gm');

/**
 * The databases whose miners a classic text shows, each once: more than one where something merges the texts of
 * several processes, none where the process is older than the metric.
 */
export const servedDatabases = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(DATABASE_SERIES)].map(([, id = '']) => id)),
];

/** The miner series in which two texts of the classic format differ, sorted by series. */
export function differingSeries(served: string, wanted: string): readonly DifferingSeries[] {
  const [servedSeries, wantedSeries] = [minerSeries(served), minerSeries(wanted)];
  const names = [...new Set([...servedSeries.keys(), ...wantedSeries.keys()])].sort();
  return names
    .filter((series) => servedSeries.get(series) !== wantedSeries.get(series))
    .map((series) => ({
      series,
      served: servedSeries.get(series) ?? null,
      wanted: wantedSeries.get(series) ?? null,
    }));
}
