import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEndPrecedence, type EndPrecedence } from '#postgres/log/end-precedence';
import { CLOSING_REASONS } from '#semconv';

const precedence: fc.Arbitrary<EndPrecedence> = fc.record({
  closing: fc.constantFrom(null, ...CLOSING_REASONS),
  completedAt: fc.option(fc.nat(5)),
});
const best = (ends: readonly EndPrecedence[]): EndPrecedence =>
  ends.reduce((kept, end) => (compareEndPrecedence(end, kept) > 0 ? end : kept));

describe('which of two ends counts', () => {
  it('which of two ends counts is the same whichever is asked about first', () => {
    fc.assert(
      fc.property(precedence, precedence, (a, b) => {
        expect(Math.sign(compareEndPrecedence(a, b))).toBe(0 - Math.sign(compareEndPrecedence(b, a)));
        expect(compareEndPrecedence(a, a)).toBe(0);
      }),
    );
  });

  it('which of two ends counts leads in no circle', () => {
    fc.assert(
      fc.property(precedence, precedence, precedence, (a, b, c) => {
        fc.pre(compareEndPrecedence(a, b) >= 0 && compareEndPrecedence(b, c) >= 0);
        expect(compareEndPrecedence(a, c)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('which of two ends counts comes to one end that counts as much, in whatever order and however often they are seen', () => {
    const ends = fc.array(precedence, { minLength: 1, maxLength: 6 });
    const disturbed = ends.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
    );
    fc.assert(
      fc.property(disturbed, ([all, again]) => {
        expect(compareEndPrecedence(best(all), best(again))).toBe(0);
      }),
    );
  });

  it('which of two ends counts is what the step told itself, before any closing, however late that is', () => {
    fc.assert(
      fc.property(precedence, fc.option(fc.nat(5)), (other, completedAt) => {
        fc.pre(other.closing !== null);
        expect(compareEndPrecedence({ closing: null, completedAt }, other)).toBeGreaterThan(0);
      }),
    );
  });

  it('which of two ends counts is of two closings the one that knows more of its step, and of two alike the later one', () => {
    const at = (closing: EndPrecedence['closing'], completedAt: number): EndPrecedence => ({
      closing,
      completedAt,
    });
    expect(compareEndPrecedence(at('process_crash', 1), at('heartbeat_lost', 9))).toBeGreaterThan(0);
    expect(compareEndPrecedence(at('heartbeat_lost', 1), at('spool_full', 9))).toBeGreaterThan(0);
    expect(compareEndPrecedence(at('heartbeat_lost', 2), at('heartbeat_lost', 1))).toBeGreaterThan(0);
  });
});
