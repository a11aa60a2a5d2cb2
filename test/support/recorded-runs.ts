import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS } from '#semconv';
import { componentScore, endedSpan, startOfSpan, T, type SpanOptions } from './spans.ts';

/** Four miners; slot 9 changed hands after run 1. */
export const MINERS = {
  good: { uid: 7, hotkey: '5Good' },
  tampering: { uid: 8, hotkey: '5Tampering' },
  gone: { uid: 9, hotkey: '5Gone' },
  fresh: { uid: 9, hotkey: '5Fresh' },
  lost: { uid: 10, hotkey: '5Lost' },
} as const;
type Miner = (typeof MINERS)[keyof typeof MINERS];

/** Milliseconds after `T` at which a run begins, and its T0. */
const RUN_LENGTH = 10_000_000;
const startOf = (run: number): number => (run - 1) * RUN_LENGTH;
export const initTimeOf = (run: number): string => `2026-11-${19 + run}T00:00:00Z`;
/** ISO text of an instant `atMs` after the beginning of a run. */
export const instantIn = (run: number, atMs: number): string =>
  new Date(Number(T / 1_000_000n) + startOf(run) + atMs).toISOString();

/** An ended span of a run; `at` counts from the beginning of the run. */
function spanOf(run: number, options: Omit<SpanOptions, 'run'>): ObservedSpan {
  return endedSpan({
    ...options,
    run,
    at: startOf(run) + (options.at ?? 0),
    attributes: { 'weather.run.init_time': initTimeOf(run), ...options.attributes },
  });
}

function orchestration(
  run: number,
  decision: {
    at: number;
    decision: string;
    status: string;
    reason: string;
    error?: string;
    substep?: string;
  },
) {
  const event: ObservedEvent = {
    name: 'weather.orchestration.decision',
    timeUnixNano: T + BigInt(startOf(run) + decision.at) * 1_000_000n,
    attributes: {
      'weather.orchestration.decision': decision.decision,
      'weather.orchestration.reason': decision.reason,
    },
  };
  return spanOf(run, {
    step: 'orchestration',
    substep: decision.substep ?? 'decision',
    miner: null,
    at: decision.at,
    attributes: {
      'weather.run.status': decision.status,
      'weather.run.target_time': initTimeOf(run),
      'weather.run.initiation_time': instantIn(run, 0),
      'weather.step.queue_job_id': 100 * run,
      ...(decision.error === undefined ? {} : { 'weather.run.error_message': decision.error }),
    },
    events: [event],
  });
}

function beginning(run: number): ObservedSpan[] {
  const download = spanOf(run, {
    step: 'seed',
    substep: 'gfs_download',
    miner: null,
    at: 20,
    attributes: {
      'weather.run.status': 'gfs_ready',
      'weather.run.input_metadata': `{"cycles":["${initTimeOf(run)}"]}`,
      'weather.step.context': '{"bytes":5120}',
    },
  });
  const created = { at: 0, decision: 'create_run', status: 'created', reason: 'a new cycle' };
  return [orchestration(run, { ...created, substep: 'create_run' }), download];
}

const seeded = (run: number, miner: Miner): ObservedSpan =>
  spanOf(run, {
    step: 'seed',
    miner,
    at: 200 + miner.uid,
    attributes: {
      'weather.forecast.status': 'seeded',
      'weather.forecast.type': '10day',
      'weather.forecast.input_sources': '{"gfs":["T0","T0-6h"]}',
      'weather.stage': 'init',
      'weather.stage.status': 'initialized',
    },
  });

const call = (run: number, miner: Miner, at: number, substep: string, error?: SpanOptions['error']) =>
  spanOf(run, {
    step: 'communication',
    substep,
    miner,
    at,
    durationMs: 40,
    ...(error ? { error } : {}),
    attributes: { 'weather.response.transport': error ? 'failure' : 'success' },
  });

/** A query that times out once and is then accepted. */
function queried(run: number, miner: Miner): ObservedSpan[] {
  const timeout = { type: 'timeout', message: 'no answer within 30 s' } as const;
  return [
    call(run, miner, 1010, 'initiate_fetch', timeout),
    spanOf(run, {
      step: 'query',
      miner,
      at: 1000,
      maxAttempts: 4,
      status: 'retry_scheduled',
      error: timeout,
      attributes: { 'weather.retry.next_time': instantIn(run, 61_000) },
    }),
    call(run, miner, 61_010, 'initiate_fetch'),
    spanOf(run, {
      step: 'query',
      miner,
      at: 61_000,
      attempt: 2,
      maxAttempts: 4,
      attributes: {
        'weather.stage': 'inference_running',
        'weather.stage.status': 'query_successful',
        'weather.response.status': 'inference_running',
        'weather.job.id': `job-${run}-${miner.uid}`,
        'weather.job.accepted_time': instantIn(run, 61_100),
        'weather.inference.started_time': instantIn(run, 61_100),
      },
    }),
  ];
}

const stillRunning = (run: number, miner: Miner, attempt: number): ObservedSpan =>
  spanOf(run, {
    step: 'poll',
    miner,
    attempt,
    maxAttempts: 20,
    at: 61_000 + attempt * 300_000,
    status: 'retry_scheduled',
    attributes: {
      'weather.stage': `inference_running_${attempt * 30}%`,
      'weather.stage.status': 'polling',
      'weather.retry.next_time': instantIn(run, 61_000 + (attempt + 1) * 300_000),
    },
  });

const finishedInference = (run: number, miner: Miner): ObservedSpan =>
  spanOf(run, {
    step: 'poll',
    miner,
    attempt: 2,
    maxAttempts: 20,
    at: 661_000,
    attributes: {
      'weather.stage': 'awaiting_scoring',
      'weather.stage.status': 'inference_complete',
      'weather.response.status': 'forecast_ready',
      'weather.inference.completed_time': instantIn(run, 661_100),
      'weather.inference.duration_seconds': 600,
    },
  });

const verified = (run: number, miner: Miner): ObservedSpan =>
  spanOf(run, {
    step: 'verify',
    miner,
    maxAttempts: 4,
    at: 700_000,
    attributes: {
      'weather.response.status': 'verified_manifest_store_opened',
      'weather.forecast.store_path': `/forecasts/${run}.zarr`,
      'weather.manifest.hash_claimed': 'ab'.repeat(32),
      'weather.manifest.hash_computed': 'ab'.repeat(32),
      'weather.manifest.header': '{"files":209}',
      'weather.manifest.frozen_time': instantIn(run, 700_050),
      'weather.verification.passed': true,
      'weather.hosting.status': 'accessible',
      'weather.hosting.latency_ms': 182.5,
    },
  });

/** What the fields were read from. */
const DIGESTS = {
  forecast_digest: '9f2c11d0'.repeat(8),
  truth_digest: '11d09f2c'.repeat(8),
  reference_digest: '2c11d09f'.repeat(8),
  climatology_digest: 'd09f2c11'.repeat(8),
};

const METRICS = {
  rmse: 1.5,
  mse: 2.25,
  acc: 0.9,
  skill_score: 0.4,
  skill_score_gfs: 0.4,
  skill_score_climatology: 0.3,
  plain_skill_score_gfs: 0.35,
  plain_skill_score_climatology: 0.25,
  coverage: 1,
  bias: -0.1,
  mae: 1.1,
  climatology_check_passed: true,
  pattern_correlation: 0.95,
  pattern_correlation_passed: true,
  clone_penalty: 0,
  variable_weight: 0.25,
  calculation_duration_ms: 3.5,
};

const day1Scored = (run: number, miner: Miner): ObservedSpan =>
  spanOf(run, {
    step: 'day1',
    miner,
    lead: 12,
    maxAttempts: 4,
    at: 800_000,
    attributes: {
      'weather.score.initial': 0.6,
      'weather.stage': 'day1_scored',
      'weather.stage.status': 'completed',
      'weather.forecast.status': 'day1_scored',
    },
    events: [
      componentScore({
        score_type: 'day1',
        variable_name: 'z',
        pressure_level: 500,
        valid_time: initTimeOf(run).replace('T00', 'T12'),
        ...METRICS,
        ...DIGESTS,
      }),
      componentScore({
        score_type: 'day1',
        variable_name: 'q',
        pressure_level: 1000,
        valid_time: initTimeOf(run).replace('T00', 'T12'),
        acc: NaN,
        failed_check: 'no_finite_metric',
        reason: 'acc is not finite',
      }),
    ],
  });

/** One ERA5 lead, scored. */
const leadScored = (run: number, lead: number, score: number, at = 900_000 + lead): ObservedSpan =>
  spanOf(run, {
    step: 'era5',
    miner: MINERS.good,
    lead,
    maxAttempts: 5,
    at,
    attributes: {
      'weather.score.era5': score,
      'weather.stage': `era5_scoring_${lead}h`,
      'weather.stage.status': 'scoring',
      'weather.forecast.status': 'era5_scoring',
    },
  });

const ended = (run: number, miner: Miner, outcome: 'completed' | 'failed', at = 1_000_000): ObservedSpan =>
  spanOf(run, {
    step: 'aggregate',
    miner,
    at,
    attributes: {
      'weather.forecast.status': outcome,
      'weather.stage': outcome === 'completed' ? 'complete' : 'inference_failed',
      'weather.stage.status': outcome,
    },
  });

function ending(run: number): ObservedSpan[] {
  return [
    spanOf(run, { step: 'aggregate', substep: 'run_scores', miner: null, at: 1_100_000 }),
    orchestration(run, {
      at: 1_200_000,
      decision: 'complete_run',
      status: 'completed',
      reason: 'every forecast ended',
    }),
  ];
}

const forecast = (run: number): ObservedSpan[] => [
  seeded(run, MINERS.good),
  ...queried(run, MINERS.good),
  stillRunning(run, MINERS.good, 1),
  finishedInference(run, MINERS.good),
  verified(run, MINERS.good),
  day1Scored(run, MINERS.good),
];

const REFUSED = { type: 'connection', message: 'the connection was refused' } as const;

/** Run 1 ends well: 5Good has every lead at 0.8, 5Tampering broke its manifest, 5Gone could not be reached. */
const FIRST = [
  ...beginning(1),
  ...forecast(1),
  ...ERA5_LEAD_HOURS.map((lead) => leadScored(1, lead, 0.8)),
  ended(1, MINERS.good, 'completed'),
  seeded(1, MINERS.tampering),
  spanOf(1, {
    step: 'verify',
    miner: MINERS.tampering,
    maxAttempts: 4,
    at: 700_000,
    error: { type: 'verification_hash_changed', message: 'the manifest is not the one that was frozen' },
    attributes: { 'weather.verification.passed': false, 'weather.response.status': 'verification_failed' },
  }),
  ended(1, MINERS.tampering, 'failed'),
  seeded(1, MINERS.gone),
  call(1, MINERS.gone, 1010, 'initiate_fetch', REFUSED),
  spanOf(1, { step: 'query', miner: MINERS.gone, at: 1000, attempt: 4, maxAttempts: 4, error: REFUSED }),
  ended(1, MINERS.gone, 'failed'),
  ...ending(1),
];

/** Run 2: 5Good has 0.5 on nine leads, 72 h twice, and no truth for 48 h. */
const SECOND = [
  ...beginning(2),
  ...forecast(2),
  ...ERA5_LEAD_HOURS.filter((lead) => lead !== 48).map((lead) => leadScored(2, lead, 0.5)),
  leadScored(2, 72, 0.5, 950_000),
  spanOf(2, {
    step: 'era5',
    miner: MINERS.good,
    lead: 48,
    attempt: 5,
    maxAttempts: 5,
    at: 960_000,
    error: { type: 'truth_missing', message: 'ERA5 has no 2026-11-23T00Z' },
  }),
  ended(2, MINERS.good, 'completed'),
  seeded(2, MINERS.tampering),
  spanOf(2, {
    step: 'query',
    miner: MINERS.tampering,
    at: 1000,
    maxAttempts: 4,
    error: { type: 'rejected_identity', message: 'the signature is not of this hotkey' },
  }),
  ended(2, MINERS.tampering, 'failed'),
  ...ending(2),
];

/** Run 3 is under way: one miner is polled, one waits for truth, one step runs, one was abandoned. */
const THIRD = [
  ...beginning(3),
  seeded(3, MINERS.good),
  ...queried(3, MINERS.good),
  stillRunning(3, MINERS.good, 1),
  { ...stillRunning(3, MINERS.good, 2), droppedAttributesCount: 1 },
  seeded(3, MINERS.tampering),
  spanOf(3, {
    step: 'era5',
    miner: MINERS.tampering,
    lead: 24,
    maxAttempts: 5,
    at: 900_000,
    status: 'waiting_for_truth',
    attributes: {
      'weather.retry.next_time': '2026-11-29T06:00:00Z',
      'weather.stage': 'era5_scoring_24h',
      'weather.stage.status': 'waiting_for_truth',
      'weather.forecast.status': 'era5_scoring',
    },
  }),
  seeded(3, MINERS.fresh),
  startOfSpan(spanOf(3, { step: 'query', miner: MINERS.fresh, maxAttempts: 4, at: 1000 })),
  seeded(3, MINERS.lost),
  spanOf(3, {
    step: 'verify',
    miner: MINERS.lost,
    maxAttempts: 4,
    at: 700_000,
    status: 'abandoned',
    error: { type: 'process_crash', message: 'the process ended while the step ran' },
    instance: 'instance-2',
  }),
];

/** Run 4 failed as a whole, before it had a forecast. */
const FOURTH = [
  ...beginning(4),
  orchestration(4, {
    at: 5000,
    decision: 'fail_run',
    status: 'failed',
    reason: 'there are no miners',
    error: 'no miners found',
  }),
];

/** Four small runs that cover every case of the tables and views. */
export const RECORDED_RUNS: readonly ObservedSpan[] = [...FIRST, ...SECOND, ...THIRD, ...FOURTH].map(
  (span) => ({
    ...span,
    parentSpanId: span.attributes['weather.step.name'] === 'communication' ? 'a'.repeat(16) : null,
  }),
);
