import { describe, expect, it } from 'vitest';
import { aggregateMinerDefinition } from '#pipeline/steps/aggregate';
import { day1Definition } from '#pipeline/steps/day1';
import { era5Definition } from '#pipeline/steps/era5';
import { summarizeForecast } from '#pipeline/leads/forecast-summary';
import { gfsDownloadDefinition } from '#pipeline/steps/gfs-download';
import { newLeadFindings } from '#pipeline/leads/lead-findings';
import { pollDefinition } from '#pipeline/steps/poll';
import { queryDefinition } from '#pipeline/steps/query';
import type { LeadJob } from '#pipeline/step/step-job';
import { verifyDefinition } from '#pipeline/steps/verify';
import { hostingStatusOf, responseStatusOf } from '#pipeline/steps/verify-findings';
import { CategorizedError, toStage, type ErrorCategory } from '#semconv';
import type { LeadRow } from '#pipeline/control/lead-row';
import { INIT_TIME } from './support/tiny-world.ts';

/** As much of a job as a definition reads. */
const job = {
  run: { initTime: INIT_TIME, era5Leads: [24, 48], day1Lead: 12 },
  miner: { jobId: 'job-1', attempt: 3 },
  lead: { leadHours: 24, attempt: 1 },
} as unknown as LeadJob;
const NEXT = new Date('2026-11-23T18:05:00Z');
const error = new CategorizedError('http_5xx', '503', { retryable: true });
const retry = { kind: 'retry', error, nextRetryTime: NEXT } as const;
const failed = { kind: 'failed', error } as const;
const waiting = { kind: 'waiting_for_truth', nextRetryTime: NEXT, dueTime: NEXT, reason: 'late' } as const;
const superseded = { kind: 'superseded' } as const;

const definitions = [
  ['query', queryDefinition],
  ['poll', pollDefinition],
  ['verify', verifyDefinition],
  ['day1', day1Definition],
  ['era5', era5Definition],
  ['aggregate', aggregateMinerDefinition],
  ['seed', gfsDownloadDefinition],
] as const;

describe.each(definitions)('outcomes of %s', (name, definition) => {
  it('a retry has the time of the next attempt and the error', () => {
    expect(definition.outcome?.(retry, job)).toMatchObject({
      status: 'retry_scheduled',
      error,
      nextRetryTime: NEXT,
    });
  });

  it('a final failure has the error and no next time', () => {
    const outcome = definition.outcome?.(failed, job);
    expect(outcome).toMatchObject({ status: 'failed', error, stageStatus: 'failed' });
    expect(outcome).not.toHaveProperty('nextRetryTime');
  });

  it('a superseded step has no stage and no status of the forecast', () => {
    expect(definition.outcome?.(superseded, job)).toEqual({
      status: 'succeeded',
      attributes: { 'weather.step.superseded': true },
      context: { superseded: true },
    });
  });

  it('the stages of the outcomes are in the vocabulary', () => {
    for (const result of [retry, failed] as const) {
      const stage = definition.outcome?.(result, job).stage;
      if (stage !== undefined) expect(toStage(stage)).toBeTruthy();
    }
    expect(definition.name).toBe(name);
  });
});

describe('outcome of a poll of a running job', () => {
  it('a running job is polled again without an error', () => {
    const outcome = pollDefinition.outcome?.(
      { kind: 'running', progress: null, wireStatus: 'processing', nextRetryTime: NEXT },
      job,
    );
    expect(outcome).toMatchObject({
      status: 'retry_scheduled',
      stage: 'inference_running',
      stageStatus: 'polling',
    });
    expect(outcome).not.toHaveProperty('error');
  });

  it('a poll has its number in the substep', () => {
    expect(typeof pollDefinition.substep === 'function' && pollDefinition.substep(job)).toBe('attempt_3');
  });
});

describe('outcome of scoring a lead', () => {
  it('a score of 0 is recorded as 0, never omitted', () => {
    const scored = { kind: 'scored', score: 0, findings: newLeadFindings() } as const;
    expect(day1Definition.outcome?.(scored, job).attributes).toMatchObject({
      'weather.score.initial': 0,
      'weather.forecast.status': 'day1_scored',
    });
    expect(era5Definition.outcome?.(scored, job)).toMatchObject({
      status: 'succeeded',
      stage: 'era5_scoring_24h',
      stageStatus: 'scoring',
      attributes: { 'weather.score.era5': 0 },
    });
  });

  it('the score of the last lead completes the stage', () => {
    const findings = { ...newLeadFindings(), remainingLeads: 0 };
    expect(era5Definition.outcome?.({ kind: 'scored', score: 0.5, findings }, job).stageStatus).toBe(
      'completed',
    );
  });

  it('a lead without a score has a reason', () => {
    expect(
      era5Definition.outcome?.({ ...failed, findings: newLeadFindings() }, job).attributes,
    ).toMatchObject({ 'weather.score.reason': '503' });
  });

  it('a wait for truth has the due time and no error', () => {
    const outcome = era5Definition.outcome?.({ ...waiting, findings: newLeadFindings() }, job);
    expect(outcome).toMatchObject({
      status: 'waiting_for_truth',
      stageStatus: 'waiting_for_truth',
      nextRetryTime: NEXT,
      attributes: { 'weather.truth.due_time': NEXT.toISOString() },
      context: { waiting: 'late' },
    });
    expect(outcome).not.toHaveProperty('error');
  });
});

describe('outcome of a failed verification', () => {
  const category = (name: ErrorCategory): CategorizedError => new CategorizedError(name, 'because');

  it.each([
    ['timeout', 'timeout', 'verification_timeout'],
    ['connection', 'inaccessible', 'verification_error'],
    ['http_5xx', 'inaccessible', 'verification_error'],
    ['verification_manifest', 'accessible', 'verification_failed'],
    ['verification_chunk', 'accessible', 'verification_failed'],
    ['verification_hash_changed', 'accessible', 'verification_error'],
    ['verification_freeze_window', 'accessible', 'verification_error'],
    ['validator_internal', 'error', 'verification_error'],
  ] as const)(
    'a verification failed by %s has hosting status %s and response status %s',
    (name, hosting, exchange) => {
      expect(hostingStatusOf(category(name), { hostingTried: true })).toBe(hosting);
      expect(responseStatusOf(category(name), { hostingTried: true })).toBe(exchange);
    },
  );

  it('the hosting status is unknown before the files were requested', () => {
    expect(hostingStatusOf(category('timeout'), {})).toBeUndefined();
    expect(responseStatusOf(category('not_found'), {})).toBe('awaiting_miner_completion');
  });

  it('only a false claim fails verification: an outage leaves it undecided', () => {
    const passed = (name: ErrorCategory) =>
      verifyDefinition.outcome?.({ kind: 'failed', error: category(name), findings: {} }, job).attributes?.[
        'weather.verification.passed'
      ];
    expect(passed('verification_signature')).toBe(false);
    expect(passed('connection')).toBeNull();
    expect(passed('verification_freeze_window')).toBeNull();
  });
});

describe('how an exchange ends without a score against ERA5', () => {
  const statusAfter = (failureCategory: ErrorCategory) => {
    const lead = {
      scoreType: 'era5',
      leadHours: 24,
      score: null,
      state: 'failed',
      failureCategory,
    } as LeadRow;
    const result = { kind: 'aggregated', summary: summarizeForecast([lead], 1) } as const;
    return aggregateMinerDefinition.outcome?.(result, job).attributes?.['weather.response.status'];
  };

  it.each([
    ['verification_chunk', 'verification_failed'],
    ['verification_hash_changed', 'verification_error'],
    ['data_extreme', 'verification_failed'],
    ['connection', 'miner_offline'],
    ['not_found', 'miner_offline'],
    ['data_coverage', 'era5_scoring_failed'],
    ['truth_missing', 'era5_scoring_failed'],
  ] as const)('a forecast whose first lead failed by %s ends its exchange as %s', (category, status) => {
    expect(statusAfter(category)).toBe(status);
  });

  it('a completed forecast leaves the status of its exchange, and a failed aggregation does not', () => {
    const lead = {
      scoreType: 'era5',
      leadHours: 24,
      score: 0,
      state: 'scored',
      failureCategory: null,
    } as LeadRow;
    const result = { kind: 'aggregated', summary: summarizeForecast([lead], 1) } as const;
    const { outcome } = aggregateMinerDefinition;
    expect(outcome?.(result, job).attributes?.['weather.response.status']).toBeNull();
    expect(outcome?.(failed, job).attributes?.['weather.response.status']).toBe('era5_scoring_failed');
  });
});

describe('summarizeForecast', () => {
  const lead = (scoreType: 'day1' | 'era5', leadHours: number, score: number | null): LeadRow =>
    ({
      scoreType,
      leadHours,
      score,
      state: score === null ? 'failed' : 'scored',
      failureCategory: score === null ? 'truth_missing' : null,
    }) as LeadRow;

  it('a forecast with one scored lead is completed, and the others are listed with their reasons', () => {
    expect(
      summarizeForecast([lead('day1', 12, 0.3), lead('era5', 24, 0.8), lead('era5', 48, null)], 2),
    ).toMatchObject({
      isCompleted: true,
      scoredLeads: 1,
      completeness: 0.5,
      combinedScore: 0.4,
      missing: ['era5 48 h: truth_missing'],
    });
  });

  it('a forecast without any scored lead has failed, whatever day one was', () => {
    const summary = summarizeForecast([lead('day1', 12, 0.9), lead('era5', 24, null)], 1);
    expect(summary).toMatchObject({ isCompleted: false, combinedScore: null, day1Score: 0.9 });
    expect(aggregateMinerDefinition.outcome?.({ kind: 'aggregated', summary }, job)).toMatchObject({
      status: 'succeeded',
      stageStatus: 'failed',
      attributes: { 'weather.forecast.status': 'failed' },
    });
  });

  it('a lead of score 0 counts as scored', () => {
    expect(summarizeForecast([lead('era5', 24, 0)], 1)).toMatchObject({
      isCompleted: true,
      scoredLeads: 1,
      combinedScore: 0,
    });
  });
});
