import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyForecastFold, foldForecast, slotOf } from '#postgres/projections/forecast-fold';
import { emptyResponseFold, foldResponse } from '#postgres/projections/response-fold';
import { emptyRunFold, foldRun } from '#postgres/projections/run-fold';
import type { StepFact } from '#facts/step-fact';
import { endedFact, runningFact, toFact } from '#test/support/facts';
import { recordedRun } from '#test/support/recorded-run';
import { startOfSpan } from '#test/support/spans';

const FOLDS = {
  forecast: (facts: readonly StepFact[]) => foldForecast(emptyForecastFold, facts),
  response: (facts: readonly StepFact[]) => foldResponse(emptyResponseFold, facts),
  run: (facts: readonly StepFact[]) => foldRun(emptyRunFold, facts),
};

/** The facts of a run, and the same facts shuffled, some repeated. */
const disturbedFacts = recordedRun
  .map((spans) => spans.map(toFact))
  .chain((facts) =>
    fc
      .array(fc.constantFrom(...facts), { maxLength: 5 })
      .map((repeated) => [...facts, ...repeated])
      .chain((all) =>
        fc.tuple(
          fc.constant(facts),
          fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
        ),
      ),
  );

describe.each(Object.entries(FOLDS))('the fold of a %s', (_name, fold) => {
  it('the fold does not depend on order, repetition and split of its facts', () => {
    fc.assert(
      fc.property(disturbedFacts, ([facts, disturbed]) => {
        expect(fold(disturbed)).toEqual(fold(facts));
      }),
      { numRuns: 60, seed: 20261123 },
    );
  });

  it('an end sets all fields of its start, so that a lost start loses nothing', () => {
    fc.assert(
      fc.property(recordedRun, (spans) => {
        const ended = spans.filter(({ phase }) => phase === 'ended');
        const both = ended.flatMap((span) => [startOfSpan(span), span]);
        expect(fold(ended.map(toFact))).toEqual(fold(both.map(toFact)));
      }),
      { numRuns: 40, seed: 20261124 },
    );
  });
});

describe('slotOf', () => {
  it('the slot is the step and for ERA5 the lead, since leads are retried separately', () => {
    expect(slotOf(endedFact({ step: 'query' }))).toBe('query');
    expect(slotOf(endedFact({ step: 'day1', lead: 12 }))).toBe('day1');
    expect(slotOf(endedFact({ step: 'era5', lead: 48 }))).toBe('era5:48');
  });

  it('a call has no slot, because it belongs to its enclosing step', () => {
    expect(slotOf(endedFact({ step: 'communication' }))).toBeNull();
  });
});

describe('foldForecast with a running step', () => {
  it('the stage follows from the identity of the running step', () => {
    const stageOf = (fact: StepFact) => foldForecast(emptyForecastFold, [fact]).newest.stage?.value;
    expect(stageOf(runningFact({ step: 'query' }))).toEqual({
      stage: 'inference_requested',
      status: 'in_progress',
    });
    expect(stageOf(runningFact({ step: 'poll' }))).toEqual({ stage: 'inference_running', status: 'polling' });
    expect(stageOf(runningFact({ step: 'verify' }))).toEqual({
      stage: 'verification',
      status: 'in_progress',
    });
    expect(stageOf(runningFact({ step: 'day1', lead: 12 }))).toEqual({
      stage: 'day1_scoring',
      status: 'scoring',
    });
    expect(stageOf(runningFact({ step: 'era5', lead: 72 }))).toEqual({
      stage: 'era5_scoring_72h',
      status: 'scoring',
    });
    expect(stageOf(runningFact({ step: 'seed' }))).toBeUndefined();
  });
});
