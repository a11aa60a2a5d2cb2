import { describe, expect, it } from 'vitest';
import {
  addIntegers,
  get,
  integer,
  multiply,
  repeatWhileLess,
  set,
  storePair,
  loadPair,
  unsigned,
} from '#scoring/simd/simd-code';
import { compile } from '#scoring/simd/simd-module';

describe('LEB128 encoding', () => {
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624_485, [0xe5, 0x8e, 0x26]],
  ])('%d is encoded as unsigned LEB128 in groups of seven bits', (value, code) => {
    expect(unsigned(value)).toEqual(code);
  });

  it.each([
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [8191, [0xff, 0x3f]],
    [8192, [0x80, 0xc0, 0x00]],
  ])('%d is encoded as signed LEB128 that is not read as a negative number', (value, code) => {
    expect(integer(value)).toEqual([0x41, ...code]);
  });

  it('a negative or fractional constant is a RangeError', () => {
    expect(() => integer(-1)).toThrow(RangeError);
    expect(() => integer(0.5)).toThrow(RangeError);
  });
});

describe('compile', () => {
  it('a compiled program multiplies pairs of singles in its memory into doubles', () => {
    const [count, out, at] = [get(0), get(1), get(2)];
    const { run, memory } = compile({
      code: repeatWhileLess(
        [
          ...storePair(addIntegers(addIntegers(at, at), out), 0, multiply(loadPair(at, 0), loadPair(at, 0))),
          ...set(2, addIntegers(at, integer(8))),
        ],
        at,
        count,
      ),
      integers: 1,
      vectors: 1,
      memoryBytes: 70_000,
    });
    expect(memory.byteLength).toBe(2 * 65_536);
    new Float32Array(memory, 0, 4).set([1.5, 2, -3, 4]);
    run(16, 1024);
    expect([...new Float64Array(memory, 1024, 4)]).toEqual([2.25, 4, 9, 16]);
  });
});
