import type { WireWriter } from './wire-writer.ts';

/** Microseconds from 1970 to 2000, the epoch of PostgreSQL. */
const MICROS_TO_2000 = 946_684_800_000_000;
const INT32_LIMIT = 2 ** 31;

/** The SQL types of the columns, and the JavaScript type of their values. */
interface CellValues {
  int: number;
  bigint: number | bigint;
  float8: number;
  boolean: boolean;
  text: string;
  /** Microseconds since 1970. */
  timestamptz: number;
  /** JSON text. */
  json: string;
  /** JSON text. */
  jsonb: string;
  /** Hex digits. */
  bytea: string;
}
export type CellType = keyof CellValues;

/** Appends one value, prefixed by its length in bytes. */
type WriteValue<Value> = (writer: WireWriter, value: Value) => void;

/** Binary format of a type: its OID in the catalogue `pg_type`, and its encoder. */
interface CellFormat<Value> {
  readonly oid: number;
  readonly write: WriteValue<Value>;
}

const FORMATS: { readonly [Type in CellType]: CellFormat<CellValues[Type]> } = {
  int: {
    oid: 23,
    write: (writer, value) => {
      writer.int32(4);
      writer.int32(requireInt32(value));
    },
  },
  bigint: {
    oid: 20,
    write: (writer, value) => {
      writer.int32(8);
      if (typeof value === 'bigint') writer.bigInt64(requireInt64(value));
      else writer.int64(requireExact(value));
    },
  },
  float8: {
    oid: 701,
    write: (writer, value) => {
      writer.int32(8);
      writer.float64(value);
    },
  },
  boolean: {
    oid: 16,
    write: (writer, value) => {
      writer.int32(1);
      writer.byte(value ? 1 : 0);
    },
  },
  text: { oid: 25, write: writeText },
  timestamptz: {
    oid: 1184,
    write: (writer, value) => {
      writer.int32(8);
      writer.int64(requireExact(value) - MICROS_TO_2000);
    },
  },
  json: { oid: 114, write: writeText },
  jsonb: { oid: 3802, write: writeJsonb },
  bytea: { oid: 17, write: writeBytes },
};

function writeText(writer: WireWriter, value: string): void {
  const start = writer.length;
  writer.int32(0);
  writer.text(value);
  writer.setInt32(start, writer.length - start - 4);
}

function writeJsonb(writer: WireWriter, value: string): void {
  const start = writer.length;
  writer.int32(0);
  // The version of the format.
  writer.byte(1);
  writer.text(value);
  writer.setInt32(start, writer.length - start - 4);
}

function writeBytes(writer: WireWriter, value: string): void {
  writer.int32(value.length / 2);
  writer.hex(value);
}

export const oidOf = (type: CellType): number => FORMATS[type].oid;

/** The encoder of a type. Null is the length -1 without a value. */
export function cellWriter(type: CellType): WriteValue<unknown> {
  const write = FORMATS[type].write as WriteValue<unknown>;
  return (writer, value) => {
    if (value === null || value === undefined) writer.int32(-1);
    else write(writer, value);
  };
}

/**
 * Error with the SQLSTATE that the server would give, so that it is classified as an error of the row, not of the
 * connection.
 */
class CellRangeError extends RangeError {
  readonly code = '22003';
}

function requireInt32(value: number): number {
  if (Number.isInteger(value) && value >= -INT32_LIMIT && value < INT32_LIMIT) return value;
  throw new CellRangeError(`value ${value} is out of range for type integer`);
}

function requireExact(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new CellRangeError(`value ${value} is out of range for type bigint`);
}

function requireInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw new CellRangeError(`value ${value.toString()} is out of range for type bigint`);
}
