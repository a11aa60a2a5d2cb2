import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyForecastFold, foldForecast } from '#postgres/projections/forecast-fold';
import { toForecastRow, type ForecastRow } from '#postgres/projections/forecast-row';
import {
  fromDraft,
  countForecast,
  countStep,
  touchMiner,
  toDraft,
  type MinerDraft,
} from '#postgres/projections/miner-draft';
import { emptyMinerFold, type MinerFold } from '#postgres/projections/miner-fold';
import { toMinerStats } from '#postgres/projections/miner-row';
import type { StepFact } from '#facts/step-fact';
import { ERROR_CATEGORIES, type ErrorCategory } from '#semconv';
import { endedFact, runningFact } from '#test/support/facts';
import { MINER, T } from '#test/support/spans';

const KEY = { validatorId: 1, validatorHotkey: '5Validator', minerHotkey: MINER.hotkey };
const statsOf = (fold: MinerFold) => toMinerStats(fold, KEY);
/** The fold after something was done to it. */
function changed(fold: MinerFold, change: (draft: MinerDraft) => void): MinerFold {
  const draft = toDraft(fold);
  change(draft);
  return fromDraft(draft);
}
const count = (...facts: readonly StepFact[]) =>
  changed(emptyMinerFold, (draft) => {
    for (const fact of facts) {
      touchMiner(draft, fact);
      countStep(draft, fact);
    }
  });

const call = (at: number, values: { readonly durationMs?: number; readonly failed?: ErrorCategory } = {}) =>
  endedFact({
    step: 'communication',
    at,
    durationMs: values.durationMs ?? 100,
    ...(values.failed ? { error: { type: values.failed, message: values.failed } } : {}),
    attributes: { 'weather.response.transport': values.failed ? 'failure' : 'success' },
  });

const forecastRow = (
  values: Readonly<Record<string, unknown>>,
  leadScores: readonly number[] = [],
): ForecastRow =>
  toForecastRow(
    foldForecast(emptyForecastFold, [
      endedFact({
        step: 'aggregate',
        at: 9000,
        attributes: { 'weather.run.expected_leads': 2, ...values },
      }),
      ...leadScores.map((score, index) =>
        endedFact({
          step: 'era5',
          lead: 24 * (index + 1),
          attributes: { 'weather.score.era5': score, 'weather.run.expected_leads': 2 },
        }),
      ),
    ]),
  );

describe('the calls to a miner', () => {
  it('the calls to a miner are counted by how they went on the wire (test vector 11)', () => {
    const stats = statsOf(
      count(
        call(0, { durationMs: 100 }),
        { ...call(1000), latencyNanos: null },
        call(2000, { failed: 'timeout' }),
        call(3000, { failed: 'connection' }),
      ),
    );
    expect(stats).toMatchObject({
      hostingSuccesses: 2,
      hostingFailures: 2,
      hostReliabilityRatio: 0.5,
      avgHostingLatencyMs: 100,
      commonErrors: { timeout: 1, connection: 1 },
      errorRateByType: { timeout: 0.5, connection: 0.5 },
    });
  });

  it('the calls to a miner are no failures of the wire when the miner answered and said no', () => {
    const rejected = endedFact({
      step: 'communication',
      error: { type: 'rejected_identity', message: 'who are you' },
      attributes: { 'weather.response.transport': 'success' },
    });
    expect(statsOf(count(rejected))).toMatchObject({
      hostingSuccesses: 1,
      hostingFailures: 0,
      commonErrors: { rejected_identity: 1 },
    });
  });

  it('the calls to a miner give no ratio, no average and no rates while there is none', () => {
    expect(statsOf(emptyMinerFold)).toMatchObject({
      hostReliabilityRatio: null,
      avgHostingLatencyMs: null,
      errorRateByType: null,
      forecastSuccessRatio: null,
      avgForecastScore: null,
      totalInferenceTime: 0,
      avgInferenceTime: null,
    });
  });
});

describe('the errors of a miner', () => {
  it('the errors of a miner are counted where they happened: a time-out at the call and not again at the step around it', () => {
    const error = { type: 'timeout', message: 'no answer' } as const;
    expect(
      statsOf(count(call(0, { failed: 'timeout' }), endedFact({ step: 'query', error }))).commonErrors,
    ).toEqual({ timeout: 1 });
  });

  it('the errors of a miner count a crash at the step, not at the call that was under way inside it', () => {
    const error = { type: 'process_crash', message: 'the process ended' } as const;
    const facts = [endedFact({ step: 'communication', error }), endedFact({ step: 'query', error })];
    expect(count(...facts).errors).toEqual({ process_crash: 1 });
  });

  it('the errors of a miner have rates that add up to 1, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...ERROR_CATEGORIES.filter((category) => category !== 'process_crash')), {
          minLength: 1,
          maxLength: 40,
        }),
        (types) => {
          const { commonErrors, errorRateByType } = statsOf(
            count(...types.map((failed, index) => call(index * 1000, { failed }))),
          );
          const sum = (of: Readonly<Record<string, number>>) =>
            Object.values(of).reduce((total, part) => total + part, 0);
          expect(sum(commonErrors)).toBe(types.length);
          expect(sum(errorRateByType ?? {})).toBeCloseTo(1, 12);
        },
      ),
      { seed: 1 },
    );
  });
});

describe('counting a step', () => {
  it('counting a step does not depend on the order, and can be undone to the last bit', () => {
    const anyCall = fc.record({
      at: fc.integer({ min: 0, max: 1e6 }),
      durationMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
      failed: fc.option(fc.constantFrom(...ERROR_CATEGORIES), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyCall, { maxLength: 10 }), anyCall, (calls, extra) => {
        const toCall = ({ at, durationMs, failed }: typeof extra) =>
          call(at, { durationMs, ...(failed ? { failed } : {}) });
        const facts = calls.map(toCall);
        const counted = count(...facts);
        expect(count(...[...facts].reverse())).toEqual(counted);
        const undone = changed(counted, (draft) => {
          countStep(draft, toCall(extra));
          countStep(draft, toCall(extra), -1);
        });
        expect(undone).toEqual(counted);
      }),
      { seed: 2 },
    );
  });
});

describe('noticing a miner', () => {
  const slot = (uid: number, at: number) =>
    endedFact({ step: 'query', at, miner: { uid, hotkey: MINER.hotkey } });
  const notice = (...facts: readonly StepFact[]) =>
    changed(emptyMinerFold, (draft) => {
      for (const fact of facts) touchMiner(draft, fact);
    });

  it('noticing a miner keeps the slot that it held last, whichever is told last', () => {
    expect(statsOf(notice(slot(0, 2000), slot(7, 1000))).minerUid).toBe(0);
  });

  it('noticing a miner knows when it was first seen and when a call last worked, which a failure is not', () => {
    const first = Number(T / 1000n);
    const stats = statsOf(notice(call(1000), call(5000, { failed: 'timeout' }), slot(7, 0)));
    expect(stats).toMatchObject({
      firstSeen: first,
      lastActive: first + 1_100_000,
      updatedAt: first + 5_100_000,
    });
  });

  it('noticing a miner counts nothing: a running step is no call that worked', () => {
    const running = runningFact({
      step: 'communication',
      attributes: { 'weather.response.transport': 'success' },
    });
    expect(statsOf(notice(running, running))).toMatchObject({ hostingSuccesses: 0, lastActive: null });
  });
});

describe('the forecasts of a miner', () => {
  const completed = forecastRow(
    {
      'weather.forecast.status': 'completed',
      'weather.score.initial': 0.6,
      'weather.inference.duration_seconds': 600,
    },
    [0.8, 0.4],
  );
  const failed = forecastRow({ 'weather.forecast.status': 'failed' });
  const inFlight = forecastRow({ 'weather.forecast.status': 'era5_scoring' }, [0.2]);
  const countAll = (...rows: readonly ForecastRow[]) =>
    changed(emptyMinerFold, (draft) => {
      for (const row of rows) countForecast(draft, null, row);
    });
  const counted = countAll(completed, failed, inFlight);

  it('the forecasts of a miner are successes or failures when they ended, and neither before', () => {
    expect(statsOf(counted)).toMatchObject({
      successfulForecasts: 1,
      failedForecasts: 1,
      forecastSuccessRatio: 0.5,
      avgForecastScore: 0.6,
      avgDay1Score: 0.6,
      totalInferenceTime: 600,
      avgInferenceTime: 600,
    });
  });

  it('the forecasts of a miner give leads to the mean of the lead scores even while they are in flight', () => {
    expect(statsOf(counted).avgEra5Score).toBeCloseTo((0.8 + 0.4 + 0.2) / 3, 12);
    expect(statsOf(counted).avgEra5Completeness, 'of those that ended').toBe(0.5);
  });

  it('the forecasts of a miner are replaced without a trace when one changes', () => {
    const replaced = changed(counted, (draft) => {
      countForecast(draft, inFlight, completed);
    });
    expect(replaced).toEqual(countAll(completed, failed, completed));
  });
});
