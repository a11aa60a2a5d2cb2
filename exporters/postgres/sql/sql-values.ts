import { isoOfMicros } from '#facts/instants';
import type { EpochMicros } from '#facts/step-fact';

/** A `timestamptz` with all its microseconds. */
export const timestamp = (micros: EpochMicros | null): string | null =>
  micros === null ? null : isoOfMicros(micros);

/** Text of a `jsonb`, which orders the keys itself; null is SQL null, not JSON null. */
export const json = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

/** SQL that gives a `timestamptz` as microseconds since 1970. A double holds those up to the year 2255 exactly. */
export const epochMicros = (expression: string): string =>
  `(extract(epoch from ${expression}) * 1000000)::float8`;
