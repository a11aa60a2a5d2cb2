import { describe, expect, it } from 'vitest';
import type { StepFact } from '#facts/step-fact';
import { errorFact, exporterFor, minerStats, AT, OPENMETRICS, stepFact } from './fixtures.ts';

const MINERS = 256;
const MAX_BYTES = 1_000_000;
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A fraction with as many digits as a mean of many has. */
function fractionOf(seed: number): number {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
}

const hotkeyOf = (uid: number): string =>
  `5${Array.from({ length: 47 }, (_, at) => BASE58[Math.floor(fractionOf(uid * 50 + at) * 58)]).join('')}`;

/** A miner of whom everything is known, after a year: no column is null, three categories of errors. */
const knownMiner = (uid: number) =>
  minerStats({
    minerUid: uid,
    minerHotkey: hotkeyOf(uid),
    minerRank: uid + 1,
    avgForecastScore: fractionOf(uid),
    successfulForecasts: 340 + (uid % 25),
    failedForecasts: uid % 25,
    forecastSuccessRatio: fractionOf(uid + 1),
    hostingSuccesses: 14_000 + uid,
    hostingFailures: uid * 3,
    hostReliabilityRatio: fractionOf(uid + 2),
    avgHostingLatencyMs: fractionOf(uid + 3) * 1000,
    avgDay1Score: fractionOf(uid + 4),
    avgEra5Score: fractionOf(uid + 5),
    avgEra5Completeness: fractionOf(uid + 6),
    bestForecastScore: fractionOf(uid + 7),
    worstForecastScore: fractionOf(uid + 8),
    scoreStdDev: fractionOf(uid + 9),
    lastSuccessfulForecast: AT + uid * 123_457,
    lastFailedForecast: AT - uid * 765_431,
    consecutiveSuccesses: uid % 30,
    consecutiveFailures: uid % 3,
    totalInferenceTime: fractionOf(uid + 10) * 1e6,
    avgInferenceTime: fractionOf(uid + 11) * 1000,
    commonErrors: { timeout: uid * 2, http_5xx: uid, data_coverage: 10 },
    errorRateByType: { timeout: fractionOf(uid), http_5xx: fractionOf(uid), data_coverage: fractionOf(uid) },
    firstSeen: AT - uid * 1_234_567,
    lastActive: AT + uid * 7_654_321,
    updatedAt: AT + uid,
  });

type Step = Partial<StepFact>;
const named = (
  stepName: StepFact['stepName'],
  substepGroup: StepFact['substepGroup'],
  status: StepFact['status'],
): Step => ({
  stepName,
  substepGroup,
  status,
  error: status === 'failed' ? errorFact('timeout') : null,
});

/** The 40 steps of a miner in a run: calls, polls, leads, with what is tried again, waited for and failed. */
const STEPS: readonly Step[] = [
  named('seed', 'seed_miner', 'succeeded'),
  named('communication', 'initiate_fetch', 'succeeded'),
  named('communication', 'initiate_fetch', 'failed'),
  named('communication', 'poll_job_status', 'succeeded'),
  named('communication', 'poll_job_status', 'failed'),
  named('query', 'initiate_fetch', 'retry_scheduled'),
  named('query', 'initiate_fetch', 'succeeded'),
  ...Array.from({ length: 14 }, () => named('poll', 'attempt', 'retry_scheduled')),
  named('poll', 'attempt', 'succeeded'),
  named('poll', 'attempt', 'failed'),
  named('verify', 'manifest', 'succeeded'),
  named('verify', 'manifest', 'failed'),
  named('day1', 'score', 'succeeded'),
  named('day1', 'score', 'failed'),
  named('era5', 'score', 'waiting_for_truth'),
  named('era5', 'score', 'failed'),
  ...Array.from({ length: 9 }, () => named('era5', 'score', 'succeeded')),
  named('aggregate', 'miner_scores', 'succeeded'),
  named('orchestration', 'decision', 'succeeded'),
];

describe(`a scrape of ${MINERS} miners of whom everything is known`, () => {
  const exporter = exporterFor();
  const miners = Array.from({ length: MINERS }, (_, uid) => knownMiner(uid));
  exporter.seed(miners);
  for (const miner of miners)
    exporter.observe({ steps: STEPS.map((step) => stepFact(step)), minerStats: [miner] });

  it.each([
    ['classic', undefined],
    ['OpenMetrics', OPENMETRICS],
  ])('the %s text has less than a million bytes', async (_, accept) => {
    const { body } = await exporter.render(accept);
    expect(Buffer.byteLength(body)).toBeLessThan(MAX_BYTES);
  });

  it('each exposed column and each error category has a series, and there is no other', async () => {
    const { body } = await exporter.render(undefined);
    const lines = body.split('\n').filter((line) => line.startsWith('barograph_miner_'));
    const drift = lines.filter((line) => !line.includes('{'));
    expect(STEPS).toHaveLength(40);
    expect(lines.length - drift.length).toBe(MINERS * 24);
  });
});
