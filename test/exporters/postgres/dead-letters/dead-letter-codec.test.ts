import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDeadLetter, encodeDeadLetter, encodeStripped } from '#postgres/dead-letters/dead-letter-codec';
import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan } from '#test/support/spans';

/** The span after a round trip through a dead letter. */
function kept(span: ObservedSpan): ObservedSpan {
  const read = decodeDeadLetter(encodeDeadLetter(span));
  if (read === null) throw new Error('the letter was stripped');
  return read;
}

const queryWith = (attributes: Readonly<Record<string, unknown>>): ObservedSpan =>
  endedSpan({ step: 'query', attributes });

describe('dead-letter codec', () => {
  it('a decoded span translates as the original, so that a replay gives the same rows', () => {
    fc.assert(
      fc.property(recordedRun, (spans) => {
        for (const span of spans) expect(translate(kept(span))).toEqual(translate(span));
      }),
      { numRuns: 50, seed: 20261123 },
    );
  });

  it.each([
    ['numbers that JSON cannot say', { 'weather.hosting.latency_ms': NaN, 'weather.poll.progress': -0 }],
    ['big integers', { 'weather.run.id': 2n ** 70n }],
    ['a NUL', { 'weather.job.id': 'a\0b' }],
    ['half of a character', { 'weather.job.id': 'a\ud800' }],
    ['a text that the translation cuts', { 'weather.job.id': 'x'.repeat(9000) }],
    ['a text far beyond that', { 'weather.job.id': 'x'.repeat(1 << 20) }],
    ['JSON as long as the translation takes', { 'weather.step.context': `{"a":"${'x'.repeat(60_000)}"}` }],
    ['JSON longer than that', { 'weather.step.context': `{"a":"${'x'.repeat(70_000)}"}` }],
    ['an object', { 'weather.job.id': { a: [1, { $number: 'NaN' }] } }],
  ])('a decoded span translates as the original when it holds %s', (_what, attributes) => {
    const span = queryWith(attributes);
    const withoutLosses = (of: ObservedSpan) => {
      const translation = translate(of);
      // Values that could not be stored unchanged are counted when the dead letter is encoded, not again.
      return translation.kind === 'step' ? { ...translation.fact, adjustments: null } : translation;
    };
    expect(withoutLosses(kept(span))).toEqual(withoutLosses(span));
  });

  it('circular and deeply nested values are cut at the maximum depth', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(encodeDeadLetter(queryWith({ circle })).length).toBeLessThan(5000);
  });

  it('functions, invalid dates and undefined values are not stored', () => {
    const attributes = { call: () => 1, never: new Date(NaN), at: new Date(0), absent: undefined };
    expect(kept(queryWith(attributes)).attributes).toMatchObject({
      call: null,
      never: null,
      at: '1970-01-01T00:00:00.000Z',
    });
    expect('absent' in kept(queryWith(attributes)).attributes).toBe(false);
  });

  it('secrets are scrubbed from the stored span', () => {
    const text = encodeDeadLetter(
      queryWith({ password: 'hunter2', path: '/home/v/.wallet', url: 'http://203.0.113.9:80/x' }),
    );
    expect(text).not.toMatch(/hunter2|\/home\/v|203\.0\.113\.9/);
  });

  it('a stripped span decodes to null', () => {
    expect(decodeDeadLetter(encodeStripped(queryWith({})))).toBeNull();
    expect(decodeDeadLetter('{}')).toBeNull();
  });
});
