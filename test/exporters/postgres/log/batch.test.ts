import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectFacts, toBatch } from '#postgres/log/batch';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan, startOfSpan } from '#test/support/spans';

const first = endedSpan({ step: 'query', spanId: '1'.repeat(16) });
const second = endedSpan({ step: 'poll', at: 1000, spanId: '2'.repeat(16) });

describe('toBatch', () => {
  it('toBatch holds each span once and in key order, so that writers meet in the same order', async () => {
    const { ended, started } = await toBatch([second, first, second, first]);
    expect(ended.map(({ stepName }) => stepName)).toEqual(['query', 'poll']);
    expect(started).toEqual([]);
  });

  it('toBatch leaves out the start of a span that ended, whichever comes first', async () => {
    for (const spans of [
      [first, startOfSpan(first)],
      [startOfSpan(first), first],
    ]) {
      const { ended, started } = await toBatch(spans);
      expect([ended.length, started.length]).toEqual([1, 0]);
    }
    expect((await toBatch([startOfSpan(first), second])).started).toHaveLength(1);
  });

  it('toBatch keeps the spans of two validators apart, even under one span id', async () => {
    const other = { ...first, resource: { ...first.resource, 'weather.validator.hotkey': '5Other' } };
    const { ended } = await toBatch([first, other]);
    expect(ended.map(({ validatorHotkey }) => validatorHotkey)).toEqual(['5Other', '5Validator']);
  });

  it('toBatch sets aside what breaks the vocabulary, passes over what is no step, and keeps the rest', async () => {
    const wrong = endedSpan({ step: 'query', at: 5, attributes: { 'weather.step.status': 'success' } });
    const foreign = { ...second, attributes: { 'http.request.method': 'GET' } };
    const batch = await toBatch([wrong, foreign, first]);
    expect(batch.ended).toHaveLength(1);
    expect(batch.rejected).toMatchObject([{ span: wrong, reason: 'invalid_attribute' }]);
  });

  it('toBatch is the same for any order of the same spans', async () => {
    await fc.assert(
      fc.asyncProperty(
        recordedRun.chain((spans) =>
          fc.tuple(
            fc.constant(spans),
            fc.shuffledSubarray([...spans], { minLength: spans.length, maxLength: spans.length }),
          ),
        ),
        async ([spans, shuffled]) => {
          const [{ sources, ...batch }, expected] = [await toBatch(shuffled), await toBatch(spans)];
          expect({ ...batch, sources: [] }).toEqual({ ...expected, sources: [] });
          expect(new Set(sources.map(({ span }) => span))).toEqual(new Set(spans));
        },
      ),
      { numRuns: 50, seed: 7 },
    );
  });
});

describe('setAside', () => {
  const rejection = { reason: 'clock_out_of_range', detail: 'because' } as const;

  it('setAside rejects the spans of the facts that are refused, running and ended, and keeps the rest', async () => {
    const batch = await toBatch([first, startOfSpan(second)]);
    const without = rejectFacts(batch, ({ stepName }) => (stepName === 'poll' ? rejection : null));
    expect(without.ended).toEqual(batch.ended);
    expect(without.started).toEqual([]);
    expect(without.rejected).toEqual([{ span: startOfSpan(second), ...rejection }]);
  });

  it('setAside leaves a batch as it is when nothing is refused', async () => {
    const batch = await toBatch([first, second]);
    expect(rejectFacts(batch, () => null)).toBe(batch);
  });
});
