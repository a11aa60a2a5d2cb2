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
/** The fold after a change to its draft. */
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

const call = (at: number, options: { readonly durationMs?: number; readonly failed?: ErrorCategory } = {}) =>
  endedFact({
    step: 'communication',
    at,
    durationMs: options.durationMs ?? 100,
    ...(options.failed ? { error: { type: options.failed, message: options.failed } } : {}),
    attributes: { 'weather.response.transport': options.failed ? 'failure' : 'success' },
  });

const forecastRow = (
  options: Readonly<Record<string, unknown>>,
  leadScores: readonly number[] = [],
): ForecastRow =>
  toForecastRow(
    foldForecast(emptyForecastFold, [
      endedFact({
        step: 'aggregate',
        at: 9000,
        attributes: { 'weather.run.expected_leads': 2, ...options },
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

describe('call counters of a miner', () => {
  it('calls count by their transport outcome (test vector 11)', () => {
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

  it('a rejection by the miner is no transport failure', () => {
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

  it('ratio, average and rates are null without calls', () => {
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

describe('error counters of a miner', () => {
  it('a time-out counts at the call and not again at its enclosing step', () => {
    const error = { type: 'timeout', message: 'no answer' } as const;
    expect(
      statsOf(count(call(0, { failed: 'timeout' }), endedFact({ step: 'query', error }))).commonErrors,
    ).toEqual({ timeout: 1 });
  });

  it('a crash counts at the step and not at the call inside it', () => {
    const error = { type: 'process_crash', message: 'the process ended' } as const;
    const facts = [endedFact({ step: 'communication', error }), endedFact({ step: 'query', error })];
    expect(count(...facts).errors).toEqual({ process_crash: 1 });
  });

  it('the error rates add up to 1', () => {
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

describe('countStep', () => {
  it('the counts do not depend on order and can be reverted to the last bit', () => {
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

describe('touchMiner', () => {
  const slot = (uid: number, at: number) =>
    endedFact({ step: 'query', at, miner: { uid, hotkey: MINER.hotkey } });
  const notice = (...facts: readonly StepFact[]) =>
    changed(emptyMinerFold, (draft) => {
      for (const fact of facts) touchMiner(draft, fact);
    });

  it('the newest UID wins, in any order of arrival', () => {
    expect(statsOf(notice(slot(0, 2000), slot(7, 1000))).minerUid).toBe(0);
  });

  it('first seen is the earliest start and last active the latest successful call', () => {
    const first = Number(T / 1000n);
    const stats = statsOf(notice(call(1000), call(5000, { failed: 'timeout' }), slot(7, 0)));
    expect(stats).toMatchObject({
      firstSeen: first,
      lastActive: first + 1_100_000,
      updatedAt: first + 5_100_000,
    });
  });

  it('a running step changes no counter', () => {
    const running = runningFact({
      step: 'communication',
      attributes: { 'weather.response.transport': 'success' },
    });
    expect(statsOf(notice(running, running))).toMatchObject({ hostingSuccesses: 0, lastActive: null });
  });
});

describe('forecast counters of a miner', () => {
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

  it('forecasts count as successes or failures only once they have ended', () => {
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

  it('leads of a forecast in flight enter the mean of the lead scores', () => {
    expect(statsOf(counted).avgEra5Score).toBeCloseTo((0.8 + 0.4 + 0.2) / 3, 12);
    expect(statsOf(counted).avgEra5Completeness, 'of those that ended').toBe(0.5);
  });

  it('a changed forecast replaces its previous contribution', () => {
    const replaced = changed(counted, (draft) => {
      countForecast(draft, inFlight, completed);
    });
    expect(replaced).toEqual(countAll(completed, failed, completed));
  });
});
