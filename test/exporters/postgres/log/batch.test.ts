import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectFacts, toBatch } from '#postgres/log/batch';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan, startOfSpan } from '#test/support/spans';

const first = endedSpan({ step: 'query', spanId: '1'.repeat(16) });
const second = endedSpan({ step: 'poll', at: 1000, spanId: '2'.repeat(16) });

describe('toBatch', () => {
  it('a batch holds each span once, in key order', async () => {
    const { ended, started } = await toBatch([second, first, second, first]);
    expect(ended.map(({ stepName }) => stepName)).toEqual(['query', 'poll']);
    expect(started).toEqual([]);
  });

  it('the start of an ended span is dropped, whichever comes first', async () => {
    for (const spans of [
      [first, startOfSpan(first)],
      [startOfSpan(first), first],
    ]) {
      const { ended, started } = await toBatch(spans);
      expect([ended.length, started.length]).toEqual([1, 0]);
    }
    expect((await toBatch([startOfSpan(first), second])).started).toHaveLength(1);
  });

  it('spans of two validators with one span id are kept apart', async () => {
    const other = { ...first, resource: { ...first.resource, 'weather.validator.hotkey': '5Other' } };
    const { ended } = await toBatch([first, other]);
    expect(ended.map(({ validatorHotkey }) => validatorHotkey)).toEqual(['5Other', '5Validator']);
  });

  it('invalid steps are rejected, other spans ignored and the rest kept', async () => {
    const wrong = endedSpan({ step: 'query', at: 5, attributes: { 'weather.step.status': 'success' } });
    const foreign = { ...second, attributes: { 'http.request.method': 'GET' } };
    const batch = await toBatch([wrong, foreign, first]);
    expect(batch.ended).toHaveLength(1);
    expect(batch.rejected).toMatchObject([{ span: wrong, reason: 'invalid_attribute' }]);
  });

  it('the batch does not depend on the order of the spans', async () => {
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

describe('rejectFacts', () => {
  const rejection = { reason: 'clock_out_of_range', detail: 'because' } as const;

  it('the spans of rejected facts move to the rejected ones, running or ended', async () => {
    const batch = await toBatch([first, startOfSpan(second)]);
    const without = rejectFacts(batch, ({ stepName }) => (stepName === 'poll' ? rejection : null));
    expect(without.ended).toEqual(batch.ended);
    expect(without.started).toEqual([]);
    expect(without.rejected).toEqual([{ span: startOfSpan(second), ...rejection }]);
  });

  it('a batch without rejected facts is returned unchanged', async () => {
    const batch = await toBatch([first, second]);
    expect(rejectFacts(batch, () => null)).toBe(batch);
  });
});
