import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SequenceRanges } from '#exporters/emitter-report';
import { rangesAfter, toRanges, withSequence } from '#spool/books/sequence-ranges';

/** Numbers as the records of an emitter have them: from 1, ascending, each once. */
const sequences = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  .map((numbers) => numbers.toSorted((a, b) => a - b));
const numbersOf = (ranges: SequenceRanges): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));

describe('sequence ranges', () => {
  it('ranges hold exactly their numbers, and no two ranges touch', () => {
    fc.assert(
      fc.property(sequences, (numbers) => {
        const ranges = toRanges(numbers);
        expect(numbersOf(ranges)).toEqual(numbers);
        for (const [index, [from]] of ranges.entries())
          expect(from - (ranges[index - 1]?.[1] ?? -1)).toBeGreaterThan(1);
      }),
    );
  });

  it('ranges that grow by one number at a time equal those of all numbers', () => {
    fc.assert(
      fc.property(sequences, (numbers) => {
        const grown = numbers.reduce<SequenceRanges>(withSequence, []);
        expect(grown).toEqual(toRanges(numbers));
      }),
    );
  });

  it('rangesAfter returns exactly the numbers above the given one', () => {
    fc.assert(
      fc.property(sequences, fc.integer({ min: 0, max: 61 }), (numbers, at) => {
        expect(numbersOf(rangesAfter(toRanges(numbers), at))).toEqual(
          numbers.filter((number) => number > at),
        );
      }),
    );
  });

  it('withSequence does not mutate ranges that were reported before', () => {
    const reported: SequenceRanges = [[1, 3]];
    withSequence(reported, 4);
    expect(reported).toEqual([[1, 3]]);
  });
});
