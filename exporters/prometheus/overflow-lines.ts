import { OVERFLOW } from '#semconv/metric-labels';
import type { CounterColumn, MinerCounters } from './miner-series.ts';
import { joinLines, labelText, sampleLine } from './sample-line.ts';

/** The sums of one counter over the miners beyond the budget, as the lines of their common series. */
export function overflowLines({ metric, read }: CounterColumn, miners: readonly MinerCounters[]): string {
  const sums = new Map<string | undefined, number>();
  for (const { value, errorType } of miners.flatMap(read)) {
    if (Number.isFinite(value) && value >= 0) sums.set(errorType, (sums.get(errorType) ?? 0) + value);
  }
  return joinLines(
    [...sums].map(([errorType, sum]) => {
      const labels = { miner_hotkey: OVERFLOW };
      const text = labelText(errorType === undefined ? labels : { ...labels, error_type: errorType });
      return sampleLine(metric, text, sum);
    }),
  );
}
