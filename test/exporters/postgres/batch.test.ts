import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setAside, toBatch } from '../../../exporters/postgres/batch.ts';
import { recordedRun } from '../../support/recorded-run.ts';
import { endedSpan, startOfSpan } from '../../support/spans.ts';

const first = endedSpan({ step: 'query', spanId: '1'.repeat(16) });
const second = endedSpan({ step: 'poll', at: 1000, spanId: '2'.repeat(16) });

describe('toBatch', () => {
  it('holds each span once and in key order, so that writers meet in the same order', () => {
    const { ended, started } = toBatch([second, first, second, first]);
    expect(ended.map(({ stepName }) => stepName)).toEqual(['query', 'poll']);
    expect(started).toEqual([]);
  });

  it('leaves out the start of a span that ended, whichever comes first', () => {
    for (const spans of [
      [first, startOfSpan(first)],
      [startOfSpan(first), first],
    ]) {
      const { ended, started } = toBatch(spans);
      expect([ended.length, started.length]).toEqual([1, 0]);
    }
    expect(toBatch([startOfSpan(first), second]).started).toHaveLength(1);
  });

  it('keeps the spans of two validators apart, even under one span id', () => {
    const other = { ...first, resource: { ...first.resource, 'weather.validator.hotkey': '5Other' } };
    expect(toBatch([first, other]).ended.map(({ validatorHotkey }) => validatorHotkey)).toEqual([
      '5Other',
      '5Validator',
    ]);
  });

  it('sets aside what breaks the vocabulary, passes over what is no step, and keeps the rest', () => {
    const wrong = endedSpan({ step: 'query', at: 5, attributes: { 'weather.step.status': 'success' } });
    const foreign = { ...second, attributes: { 'http.request.method': 'GET' } };
    const batch = toBatch([wrong, foreign, first]);
    expect(batch.ended).toHaveLength(1);
    expect(batch.rejected).toMatchObject([{ span: wrong, reason: 'invalid_attribute' }]);
  });

  it('is the same for any order of the same spans', () => {
    fc.assert(
      fc.property(
        recordedRun.chain((spans) =>
          fc.tuple(
            fc.constant(spans),
            fc.shuffledSubarray([...spans], { minLength: spans.length, maxLength: spans.length }),
          ),
        ),
        ([spans, shuffled]) => {
          expect(toBatch(shuffled)).toEqual(toBatch(spans));
        },
      ),
      { numRuns: 50, seed: 7 },
    );
  });
});

describe('setAside', () => {
  const refusal = { reason: 'clock_out_of_range', detail: 'because' } as const;

  it('rejects the spans of the facts that are refused, running and ended, and keeps the rest', () => {
    const batch = toBatch([first, startOfSpan(second)]);
    const without = setAside(batch, ({ stepName }) => (stepName === 'poll' ? refusal : null));
    expect(without.ended).toEqual(batch.ended);
    expect(without.started).toEqual([]);
    expect(without.rejected).toEqual([{ span: startOfSpan(second), ...refusal }]);
  });

  it('leaves a batch as it is when nothing is refused', () => {
    const batch = toBatch([first, second]);
    expect(setAside(batch, () => null)).toBe(batch);
  });
});
