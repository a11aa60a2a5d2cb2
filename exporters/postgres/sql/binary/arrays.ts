import { WireWriter } from './wire-writer.ts';
import { cellWriter, oidOf, type CellType } from './cells.ts';

const HEADER_BYTES = 20;
/** Of a number or a short text, with its length. */
const USUAL_CELL_BYTES = 16;

/**
 * An SQL array of one dimension as PostgreSQL receives it. The driver sends a buffer as it is; building text instead,
 * and taking it apart on the other side, costs several times as much.
 */
export function arrayOf(type: CellType, values: readonly unknown[]): Buffer {
  const writer = new WireWriter(HEADER_BYTES + values.length * USUAL_CELL_BYTES);
  writer.int32(values.length === 0 ? 0 : 1);
  writer.int32(values.some((value) => value === null || value === undefined) ? 1 : 0);
  writer.int32(oidOf(type));
  if (values.length === 0) return writer.bytes();
  writer.int32(values.length);
  // The number of the first element.
  writer.int32(1);
  const write = cellWriter(type);
  for (const value of values) write(writer, value);
  return writer.bytes();
}
