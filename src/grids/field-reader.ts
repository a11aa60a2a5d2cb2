import type { Array as ZarrArray, DataType } from 'zarrita';
import { Float16Array, f16round } from '@petamoriken/float16';
import { type ArrayDescription, bytesOf, decodedChunkBytes } from './array-description.ts';
import { fieldAxes, type FieldAxes, isOfGrid } from './axes.ts';
import { CHUNKS_AT_ONCE, readArray, type StridedValues } from './read-array.ts';
import { chunksOf, createFieldBudget } from './read-limits.ts';
import type { TimeIndex } from './time-axis.ts';

/** All fields of the process that are being read: memory is one, however many stores and miners there are. */
const processBudget = createFieldBudget(2 ** 29);

/** Position of one field in an array. */
export interface FieldIndex {
  readonly timeIndex: TimeIndex;
  /** 0 where the array has no level axis. */
  readonly levelIndex: number;
}

/**
 * Reads the fields of one variable, row-major (latitude, longitude), whatever the order of the array's axes.
 *
 * @param columns how many meridians a field has; one more may be stored, that of the first again
 */
export function createArrayFieldReader(
  array: ZarrArray<DataType>,
  description: ArrayDescription,
  columns: number,
): (index: FieldIndex) => Promise<Float32Array> {
  const axes = fieldAxes(description);
  const plain = isUnpacked(description);
  const unpack = createUnpacker(description);
  const bytes = bytesUnderWay(description, axes);
  const read = async ({ timeIndex, levelIndex }: FieldIndex): Promise<Float32Array> => {
    const indexOf: Readonly<Record<FieldAxes[number], number | null>> = {
      ...timeIndex,
      single: 0,
      level: levelIndex,
      latitude: null,
      longitude: null,
    };
    const values = await readArray(
      array,
      axes.map((role) => indexOf[role]),
    );
    const remainingAxes = axes.filter((role) => indexOf[role] === null);
    const stored = toLayout(values, remainingAxes.indexOf('latitude'), remainingAxes.indexOf('longitude'));
    const layout = { ...stored, columns, rowMajor: stored.rowMajor && stored.columns === columns };
    if (plain && layout.rowMajor && values.data instanceof Float32Array) return values.data;
    return copyRowMajor(values.data, layout, unpack);
  };
  return (index) => processBudget.run(bytes, () => read(index));
}

/** What the reading of a field holds: chunks as they are stored and unpacked, the values that they fill, and the field. */
function bytesUnderWay(array: ArrayDescription, axes: FieldAxes): number {
  const isWhole = isOfGrid(axes);
  const chunks = Math.min(chunksOf(array, isWhole), CHUNKS_AT_ONCE);
  const values = array.shape.reduce((product, length, axis) => product * (isWhole(axis) ? length : 1), 1);
  return 2 * chunks * decodedChunkBytes(array) + values * (bytesOf(array.dataType) + 4);
}

/** Strided layout of the values that were read. */
interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly rowMajor: boolean;
}

function toLayout({ shape, strides }: StridedValues, latitudeAxis: number, longitudeAxis: number): Layout {
  const rows = shape[latitudeAxis] ?? 0;
  const columns = shape[longitudeAxis] ?? 0;
  const rowStride = strides[latitudeAxis] ?? 0;
  const columnStride = strides[longitudeAxis] ?? 0;
  return { rows, columns, rowStride, columnStride, rowMajor: columnStride === 1 && rowStride === columns };
}

function copyRowMajor(
  data: StridedValues['data'],
  { rows, columns, rowStride, columnStride }: Layout,
  unpack: (stored: number) => number,
): Float32Array {
  const field = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const stored = data[row * rowStride + column * columnStride];
      field[row * columns + column] = unpack(Number(stored));
    }
  }
  return field;
}

/** How stored numbers become physical ones (CF conventions, sections 2.5.1 and 8.1). */
export type Packing = Pick<
  ArrayDescription,
  'dataType' | 'scaleFactor' | 'addOffset' | 'isOtherSign' | 'missingValues'
>;

/** `stored * scale_factor + add_offset`, and NaN for marks of absent values; the sign is changed first, of marks too. */
export function createUnpacker(packing: Packing): (stored: number) => number {
  const { scaleFactor, addOffset, missingValues } = packing;
  const toValue = valueOf(packing);
  const marks = missingValues.map(roundTo(packing)).map(toOtherSign(packing));
  return (stored) => {
    const value = toValue(stored);
    return marks.includes(value) ? Number.NaN : value * scaleFactor + addOffset;
  };
}

/** The number that a stored one stands for before it is scaled. Half floats are read as their bits. */
function valueOf(packing: Packing): (stored: number) => number {
  if (packing.dataType !== 'float16') return toOtherSign(packing);
  const halves = halfFloats();
  return (stored) => halves[stored] ?? Number.NaN;
}

function toOtherSign({ dataType, isOtherSign }: Packing): (stored: number) => number {
  if (!isOtherSign) return (stored) => stored;
  const range = 256 ** bytesOf(dataType);
  if (dataType.startsWith('int')) return (stored) => (stored < 0 ? stored + range : stored);
  return (stored) => (stored >= range / 2 ? stored - range : stored);
}

/** Marks are written in full precision and compared with values of the stored one. */
function roundTo({ dataType }: Packing): (mark: number) => number {
  if (dataType === 'float16') return f16round;
  return dataType === 'float32' ? Math.fround : (mark) => mark;
}

let halves: Float32Array | undefined;

/** The value of each of the 65,536 half floats, by its bits. */
function halfFloats(): Float32Array {
  halves ??= Float32Array.from(
    new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer),
  );
  return halves;
}

/** Whether stored values are physical ones already, so that no copy is needed. */
export function isUnpacked({ scaleFactor, addOffset, isOtherSign, missingValues }: Packing): boolean {
  return scaleFactor === 1 && addOffset === 0 && !isOtherSign && missingValues.length === 0;
}
