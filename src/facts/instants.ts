import { memoize } from '#semconv/memoize';
import type { EpochMicros } from './step-fact.ts';

/** Microseconds of a nanosecond instant, rounded down. */
export const microsOfNanos = (nanos: bigint): EpochMicros => Number(nanos / 1000n);

/** Microseconds of a validated ISO 8601 instant, memoized; digits beyond the microsecond are dropped. */
export const microsOfIso = memoize((iso): EpochMicros => {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? '';
  const wholeSeconds = Date.parse(iso.replace(/\.\d+/, '')) * 1000;
  return wholeSeconds + Number(fraction.padEnd(6, '0').slice(0, 6));
});

/** ISO 8601 text with six fraction digits, the resolution of PostgreSQL. */
export function isoOfMicros(micros: EpochMicros): string {
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  const seconds = new Date((micros - fraction) / 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(fraction).padStart(6, '0')}Z`;
}
