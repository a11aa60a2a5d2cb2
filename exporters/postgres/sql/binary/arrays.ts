import { WireWriter } from './wire-writer.ts';
import { cellWriter, oidOf, type CellType } from './cells.ts';

const HEADER_BYTES = 20;
/** Initial buffer size per cell: a number or a short text, with its length. */
const USUAL_CELL_BYTES = 16;

/**
 * Encodes a one-dimensional SQL array in PostgreSQL's binary format, which the driver passes through. Encoding it as
 * text, and parsing that text on the server, costs several times as much.
 */
export function arrayOf(type: CellType, values: readonly unknown[]): Buffer {
  const writer = new WireWriter(HEADER_BYTES + values.length * USUAL_CELL_BYTES);
  writer.int32(values.length === 0 ? 0 : 1);
  writer.int32(values.some((value) => value === null || value === undefined) ? 1 : 0);
  writer.int32(oidOf(type));
  if (values.length === 0) return writer.bytes();
  writer.int32(values.length);
  // The lower bound of the index.
  writer.int32(1);
  const write = cellWriter(type);
  for (const value of values) write(writer, value);
  return writer.bytes();
}
