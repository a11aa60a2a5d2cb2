import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SequenceRanges } from '#exporters/emitter-report';
import { behind, toRanges, withSequence } from '#spool/books/sequence-ranges';

/** Numbers as the records of an emitter have them: from 1, ascending, each once. */
const sequences = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  .map((numbers) => numbers.toSorted((a, b) => a - b));
const numbersOf = (ranges: SequenceRanges): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));

describe('ranges of numbers', () => {
  it('ranges of numbers hold exactly the numbers that they were made of, and no two of them touch', () => {
    fc.assert(
      fc.property(sequences, (numbers) => {
        const ranges = toRanges(numbers);
        expect(numbersOf(ranges)).toEqual(numbers);
        for (const [index, [from]] of ranges.entries())
          expect(from - (ranges[index - 1]?.[1] ?? -1)).toBeGreaterThan(1);
      }),
    );
  });

  it('ranges of numbers are the same when the numbers come one by one, so that a loss may be told again and again', () => {
    fc.assert(
      fc.property(sequences, (numbers) => {
        const grown = numbers.reduce<SequenceRanges>(withSequence, []);
        expect(grown).toEqual(toRanges(numbers));
      }),
    );
  });

  it('ranges of numbers behind a number hold those above it and no others, wherever it lies', () => {
    fc.assert(
      fc.property(sequences, fc.integer({ min: 0, max: 61 }), (numbers, at) => {
        expect(numbersOf(behind(toRanges(numbers), at))).toEqual(numbers.filter((number) => number > at));
      }),
    );
  });

  it('ranges of numbers that grow leave those that were told before as they were', () => {
    const ranges: SequenceRanges = [[1, 3]];
    withSequence(ranges, 4);
    expect(ranges).toEqual([[1, 3]]);
  });
});
