import { KERNEL_FIELDS, ROW_SUM_BYTES, ROW_SUMS, rowProgram } from './row-program.ts';
import { compile } from './simd-module.ts';

/** Points per field and block: the blocks of all four fields fit into the second-level cache together. */
export const KERNEL_POINTS = 32_768;
export const KERNEL_ROWS = 1024;
const FIELD_BYTES = KERNEL_POINTS * Float32Array.BYTES_PER_ELEMENT;

/** Sums up to `KERNEL_ROWS` rows and `KERNEL_POINTS` points of four fields in single precision. */
export interface RowKernel {
  /** The fields in the order of `KERNEL_FIELDS`, each from a multiple of `KERNEL_POINTS` on, row by row. */
  readonly fields: Float32Array;
  /** Offset subtracted from forecast and reference: one value that is typical of both. */
  readonly typical: Float32Array;
  /** Result of the last call: for each row the sums in the order of `ROW_SUMS`, each as two halves. */
  readonly sums: Float64Array;
  /** Every row needs an even number of points. A value that is not finite makes the sums of its row not finite. */
  readonly sumRows: (rows: number, pointsPerRow: number) => void;
}

/**
 * SIMD loop in WebAssembly, assembled when it is created: two points at a time, four fields in one pass.
 *
 * Kept because two targets of docs/performance.md need it. With the same loop in JavaScript `npm run bench -- fields` takes
 * 7.8 ms in place of 2.6 (numpy takes 1.07 times that in place of 3.15, the target is 2), and `leads` takes 1.39 times
 * reading and decoding in place of 1.22 (the target is 1.3). `npm run bench -- data-structures` measures both loops: 2.5 and
 * 7.4 ms of CPU. Its sums are checked against those point by point, to 1e-10, and against the definitions of the scores on
 * random fields with gaps, to 1e-9 (test/scoring/sum-rows.test.ts).
 */
export function createRowKernel(): RowKernel {
  const sumsAt = KERNEL_FIELDS.length * FIELD_BYTES;
  const typicalAt = sumsAt + KERNEL_ROWS * ROW_SUMS.length * ROW_SUM_BYTES;
  const { run, memory } = compile({
    ...rowProgram({ fieldBytes: FIELD_BYTES, sumsAt, typicalAt }),
    memoryBytes: typicalAt + Float32Array.BYTES_PER_ELEMENT,
  });
  return {
    fields: new Float32Array(memory, 0, KERNEL_FIELDS.length * KERNEL_POINTS),
    typical: new Float32Array(memory, typicalAt, 1),
    sums: new Float64Array(memory, sumsAt, (typicalAt - sumsAt) / Float64Array.BYTES_PER_ELEMENT),
    sumRows: run,
  };
}
