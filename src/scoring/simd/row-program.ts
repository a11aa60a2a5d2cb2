import {
  absolute,
  add,
  addIntegers,
  get,
  greater,
  integer,
  lesser,
  loadPair,
  loadTwice,
  multiply,
  multiplyIntegers,
  repeatWhileLess,
  set,
  storePair,
  subtract,
  zeros,
  type Code,
} from './simd-code.ts';
import type { SimdProgram } from './simd-module.ts';

/** The fields that are summed together, in the order in which they lie in the memory of the kernel. */
export const KERNEL_FIELDS = ['forecast', 'truth', 'reference', 'climatology'] as const;
type KernelField = (typeof KERNEL_FIELDS)[number];

/**
 * The sums of a row, from which all scores follow. f, o, r and c are forecast, truth, reference and climatology; f' and r'
 * are shifted by a typical value of the field: fields are far from zero, their differences are not.
 */
export const ROW_SUMS = [
  'error', // f - o
  'errorSquares', // f - o squared
  'absoluteError', // |f - o|
  'forecastMin',
  'forecastMax',
  'actual', // o - c
  'actualSquares', // o - c squared
  'anomalySquares', // f - c squared
  'referenceErrorSquares', // r - o squared
  'forecast', // f'
  'reference', // r'
  'forecastSquares', // f' squared
  'referenceSquares', // r' squared
  'differenceSquares', // f - r squared
] as const;
export type RowSum = (typeof ROW_SUMS)[number];

/** Each sum is stored as two halves, one per SIMD lane: points at even indices of the row, and points at odd ones. */
export const ROW_SUM_BYTES = 2 * Float64Array.BYTES_PER_ELEMENT;
const PAIR_BYTES = 2 * Float32Array.BYTES_PER_ELEMENT;

const INTEGERS = ['rows', 'pointsPerRow', 'at', 'rowEnd', 'sumsAt', 'end'] as const;
const VALUES = [
  ...KERNEL_FIELDS,
  ...(['error', 'actual', 'anomaly', 'referenceError', 'difference'] as const),
] as const;

const local = (name: (typeof INTEGERS)[number]): number => INTEGERS.indexOf(name);
const valueLocal = (name: (typeof VALUES)[number]): number => INTEGERS.length + VALUES.indexOf(name);
const TYPICAL_LOCAL = INTEGERS.length + VALUES.length;
const sumLocal = (name: RowSum): number => TYPICAL_LOCAL + 1 + ROW_SUMS.indexOf(name);

const integerOf = (name: (typeof INTEGERS)[number]): Code => get(local(name));
const valueOf = (name: (typeof VALUES)[number]): Code => get(valueLocal(name));
const sumOf = (name: RowSum): Code => get(sumLocal(name));

const squared = (name: (typeof VALUES)[number]): Code => multiply(valueOf(name), valueOf(name));
const sum = (name: RowSum, value: Code): Code => set(sumLocal(name), add(sumOf(name), value));

/** Loads the current point of a field. */
type Load = (instruction: (address: Code, offset: number) => Code, field: KernelField) => Code;

/** Memory layout: byte offsets of the fields and of the sums. */
export interface RowLayout {
  readonly fieldBytes: number;
  readonly sumsAt: number;
  /** The typical value of the field, in single precision. */
  readonly typicalAt: number;
}

/**
 * The program that sums rows, two points at once and in double precision. Its parameters are the number of rows and the
 * number of points in each, which is even. The sums of a row follow those of the row before, each as two halves.
 */
export function rowProgram({ fieldBytes, sumsAt, typicalAt }: RowLayout): Omit<SimdProgram, 'memoryBytes'> {
  const load: Load = (instruction, field) =>
    instruction(integerOf('at'), KERNEL_FIELDS.indexOf(field) * fieldBytes);
  const rowBytes = multiplyIntegers(integerOf('pointsPerRow'), integer(Float32Array.BYTES_PER_ELEMENT));
  const rowSumBytes = integer(ROW_SUMS.length * ROW_SUM_BYTES);
  const row = [
    ...startRow(load),
    ...set(local('rowEnd'), addIntegers(integerOf('at'), rowBytes)),
    ...repeatWhileLess(
      [...sumPair(load), ...set(local('at'), addIntegers(integerOf('at'), integer(PAIR_BYTES)))],
      integerOf('at'),
      integerOf('rowEnd'),
    ),
    ...ROW_SUMS.flatMap((name, index) =>
      storePair(integerOf('sumsAt'), sumsAt + index * ROW_SUM_BYTES, sumOf(name)),
    ),
    ...set(local('sumsAt'), addIntegers(integerOf('sumsAt'), rowSumBytes)),
  ];
  return {
    code: [
      ...set(TYPICAL_LOCAL, loadTwice(integer(typicalAt), 0)),
      ...set(local('end'), multiplyIntegers(integerOf('rows'), rowBytes)),
      ...repeatWhileLess(row, integerOf('at'), integerOf('end')),
    ],
    integers: INTEGERS.length - 2,
    vectors: VALUES.length + 1 + ROW_SUMS.length,
  };
}

/** Resets all sums. */
const startRow = (load: Load): Code => [
  ...ROW_SUMS.flatMap((name) => set(sumLocal(name), zeros)),
  ...set(sumLocal('forecastMin'), load(loadTwice, 'forecast')),
  ...set(sumLocal('forecastMax'), sumOf('forecastMin')),
];

/** Adds two neighbouring points to all sums of their row: the hot loop. */
function sumPair(load: Load): Code {
  const [forecast, truth, reference, climatology] = KERNEL_FIELDS.map(valueOf) as [Code, Code, Code, Code];
  return [
    ...KERNEL_FIELDS.flatMap((field) => set(valueLocal(field), load(loadPair, field))),
    ...set(sumLocal('forecastMin'), lesser(sumOf('forecastMin'), forecast)),
    ...set(sumLocal('forecastMax'), greater(sumOf('forecastMax'), forecast)),
    ...set(valueLocal('error'), subtract(forecast, truth)),
    ...sum('absoluteError', absolute(valueOf('error'))),
    ...sum('error', valueOf('error')),
    ...sum('errorSquares', squared('error')),
    ...set(valueLocal('actual'), subtract(truth, climatology)),
    ...sum('actual', valueOf('actual')),
    ...sum('actualSquares', squared('actual')),
    ...set(valueLocal('anomaly'), subtract(forecast, climatology)),
    ...sum('anomalySquares', squared('anomaly')),
    ...set(valueLocal('referenceError'), subtract(reference, truth)),
    ...sum('referenceErrorSquares', squared('referenceError')),
    ...set(valueLocal('forecast'), subtract(forecast, get(TYPICAL_LOCAL))),
    ...sum('forecast', forecast),
    ...sum('forecastSquares', squared('forecast')),
    ...set(valueLocal('reference'), subtract(reference, get(TYPICAL_LOCAL))),
    ...sum('reference', reference),
    ...sum('referenceSquares', squared('reference')),
    ...set(valueLocal('difference'), subtract(forecast, reference)),
    ...sum('differenceSquares', squared('difference')),
  ];
}
