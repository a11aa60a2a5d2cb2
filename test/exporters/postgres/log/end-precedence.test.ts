import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEndPrecedence, type EndPrecedence } from '#postgres/log/end-precedence';
import { CLOSING_REASONS } from '#semconv';

const anyEnd: fc.Arbitrary<EndPrecedence> = fc.record({
  closing: fc.constantFrom(null, ...CLOSING_REASONS),
  completedAt: fc.option(fc.nat(5)),
});
const best = (ends: readonly EndPrecedence[]): EndPrecedence =>
  ends.reduce((kept, end) => (compareEndPrecedence(end, kept) > 0 ? end : kept));

describe('compareEndPrecedence', () => {
  it('the order is antisymmetric', () => {
    fc.assert(
      fc.property(anyEnd, anyEnd, (a, b) => {
        expect(Math.sign(compareEndPrecedence(a, b))).toBe(0 - Math.sign(compareEndPrecedence(b, a)));
        expect(compareEndPrecedence(a, a)).toBe(0);
      }),
    );
  });

  it('the order is transitive', () => {
    fc.assert(
      fc.property(anyEnd, anyEnd, anyEnd, (a, b, c) => {
        fc.pre(compareEndPrecedence(a, b) >= 0 && compareEndPrecedence(b, c) >= 0);
        expect(compareEndPrecedence(a, c)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('the highest end does not depend on order and repetition', () => {
    const ends = fc.array(anyEnd, { minLength: 1, maxLength: 6 });
    const disturbed = ends.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
    );
    fc.assert(
      fc.property(disturbed, ([all, again]) => {
        expect(compareEndPrecedence(best(all), best(again))).toBe(0);
      }),
    );
  });

  it('a real end takes precedence over any closing, at any time', () => {
    fc.assert(
      fc.property(anyEnd, fc.option(fc.nat(5)), (other, completedAt) => {
        fc.pre(other.closing !== null);
        expect(compareEndPrecedence({ closing: null, completedAt }, other)).toBeGreaterThan(0);
      }),
    );
  });

  it('closings rank by reason and closings of one reason by time', () => {
    const at = (closing: EndPrecedence['closing'], completedAt: number): EndPrecedence => ({
      closing,
      completedAt,
    });
    expect(compareEndPrecedence(at('process_crash', 1), at('heartbeat_lost', 9))).toBeGreaterThan(0);
    expect(compareEndPrecedence(at('heartbeat_lost', 1), at('spool_full', 9))).toBeGreaterThan(0);
    expect(compareEndPrecedence(at('heartbeat_lost', 2), at('heartbeat_lost', 1))).toBeGreaterThan(0);
  });
});
