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

describe('whole numbers of instructions', () => {
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624_485, [0xe5, 0x8e, 0x26]],
  ])('whole numbers of instructions encodes %d without a sign in groups of seven bits', (value, code) => {
    expect(unsigned(value)).toEqual(code);
  });

  it.each([
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [8191, [0xff, 0x3f]],
    [8192, [0x80, 0xc0, 0x00]],
  ])('whole numbers of instructions keeps %d from being read as a negative number', (value, code) => {
    expect(integer(value)).toEqual([0x41, ...code]);
  });

  it('whole numbers of instructions refuses what no program here has', () => {
    expect(() => integer(-1)).toThrow(RangeError);
    expect(() => integer(0.5)).toThrow(RangeError);
  });
});

describe('a compiled program', () => {
  it('a compiled program runs on its memory: pairs of singles come in, their products as doubles go out', () => {
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
