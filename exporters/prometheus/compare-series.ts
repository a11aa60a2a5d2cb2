import { MIRRORED_COLUMNS } from './miner-series.ts';

/** A series that shows another value than it should; null is no such series. */
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

/** Whether a text was served by a process that mirrors `miner_stats`, of however many miners. */
export const mirrorsMiners = (text: string): boolean =>
  [...MINER_METRICS].every((name) => text.includes(`# TYPE ${name} `));

/** The series of miners in which two classic texts differ, sorted. */
export function differingSeries(served: string, wanted: string): readonly DifferingSeries[] {
  const [shown, due] = [minerSeries(served), minerSeries(wanted)];
  const names = [...new Set([...shown.keys(), ...due.keys()])].sort();
  return names
    .filter((series) => shown.get(series) !== due.get(series))
    .map((series) => ({ series, served: shown.get(series) ?? null, wanted: due.get(series) ?? null }));
}
