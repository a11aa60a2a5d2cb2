import pg from 'pg';
import type { CustomTypesConfig } from 'pg';

/** PostgreSQL's type number of `int8` (bigint). */
const INT8_OID = 20;

/** Parser lookup of the driver, by type and wire format. */
type GetTypeParser = (oid: number, format?: 'text' | 'binary') => (value: never) => unknown;

/**
 * Maps columns to JavaScript values: the driver's defaults, but `int8` as a number.
 *
 * Every int8 of ours is an id or a count below 2^53; a larger value is an error, never a rounded number. `timestamptz`
 * stays a `Date`. One object per pool: the driver's global registry is not modified.
 */
export function createTypeParsers(): CustomTypesConfig {
  const standard = pg.types.getTypeParser as GetTypeParser;
  const getTypeParser: GetTypeParser = (oid, format) => {
    const parse = standard(oid, format);
    return oid === INT8_OID ? (value) => toSafeInteger(parse(value)) : parse;
  };
  return { getTypeParser };
}

function toSafeInteger(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(
      `Got the int8 ${String(value)}, which a number cannot hold exactly. Allowed: up to ±(2^53 - 1). ` +
        'Cast the column to text in the query.',
    );
  }
  return number;
}
