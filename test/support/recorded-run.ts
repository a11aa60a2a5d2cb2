import fc from 'fast-check';
import type { ObservedSpan } from '#facts/observed-span';
import { closingSpan } from '#facts/closing';
import { CLOSING_REASONS, ERROR_CATEGORIES, FIELD_CHECKS, TERMINAL_RUN_STATUSES } from '#semconv';
import { componentScore, endedSpan, startOfSpan, T } from './spans.ts';

const MINERS = [0, 7, 8].map((uid) => ({ uid, hotkey: `5Miner${uid}` }));
const MAX_ATTEMPTS = { seed: 6, query: 4, poll: 20, verify: 4, day1: 4, era5: 5, aggregate: 4 } as const;
const STATUSES = ['succeeded', 'failed', 'retry_scheduled', 'waiting_for_truth'] as const;

const score = fc.oneof(fc.constantFrom(0, -0, NaN, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const instant = (ms: number): string => new Date(Number(T / 1_000_000n) + ms).toISOString();

/** Facts that only some steps have. */
const outcomeOf = (step: keyof typeof MAX_ATTEMPTS) =>
  fc.record(
    {
      'weather.stage': fc.constantFrom(
        'inference_running_45%',
        'verification',
        'day1_scored',
        'era5_scoring_24h',
      ),
      'weather.stage.status': fc.constantFrom('in_progress', 'completed', 'waiting_retry'),
      'weather.forecast.status': fc.constantFrom('day1_scored', 'era5_scoring', 'completed', 'failed'),
      'weather.response.status': fc.constantFrom(
        'inference_running',
        'failed',
        'verified_manifest_store_opened',
      ),
      'weather.job.id': fc.constantFrom('job-a', 'job-b'),
      'weather.job.accepted_time': fc.integer({ min: 0, max: 9 }).map((second) => instant(second * 1000)),
      'weather.hosting.status': fc.constantFrom('accessible', 'timeout'),
      'weather.inference.duration_seconds': fc.integer({ min: 0, max: 9000 }),
      'weather.step.superseded': fc.constant(true),
      ...(step === 'day1' ? { 'weather.score.initial': score } : {}),
      ...(step === 'era5' ? { 'weather.score.era5': score } : {}),
    },
    { requiredKeys: [] },
  );

/** Fields with scores, and fields that failed a check, of the same few keys: each may replace the other. */
const scoresOf = (step: 'day1' | 'era5') => {
  const key = {
    score_type: fc.constant(step),
    variable_name: fc.constantFrom('2t', 'z'),
    pressure_level: fc.constantFrom(500, undefined),
    valid_time: fc.constant('2026-11-24T00:00:00Z'),
  };
  const scored = fc.record({ ...key, rmse: score, acc: score, skill_score: score });
  const failed = fc.record({ ...key, failed_check: fc.constantFrom(...FIELD_CHECKS) });
  return fc.array(fc.oneof(scored, failed), { maxLength: 3 });
};

const stepSpan = fc
  .constantFrom('query', 'poll', 'verify', 'day1', 'era5', 'communication', 'seed', 'aggregate')
  .chain((step) =>
    fc.record({
      step: fc.constant(step),
      run: fc.integer({ min: 1, max: 2 }),
      miner: fc.constantFrom(...MINERS),
      attempt: fc.integer({ min: 1, max: 3 }),
      at: fc.integer({ min: 0, max: 60_000 }),
      durationMs: fc.double({ min: 0, max: 2000, noNaN: true }),
      status: fc.constantFrom(...STATUSES),
      category: fc.constantFrom(...ERROR_CATEGORIES),
      lead: fc.constantFrom(24, 48),
      instance: fc.constantFrom('instance-1', 'instance-2'),
      transport: fc.constantFrom('success', 'failure', null),
      outcome: step === 'communication' ? fc.constant({}) : outcomeOf(step),
      scores: step === 'day1' || step === 'era5' ? scoresOf(step) : fc.constant([]),
    }),
  )
  .map(({ outcome, scores, category, transport, lead, status, step, ...rest }) =>
    endedSpan({
      ...rest,
      step,
      status,
      ...(step === 'day1' ? { lead: 12 } : step === 'era5' ? { lead } : {}),
      ...(step === 'communication' ? {} : { maxAttempts: MAX_ATTEMPTS[step] }),
      ...(status === 'failed' || status === 'retry_scheduled'
        ? { error: { type: category, message: `${category} in ${step}` } }
        : {}),
      attributes: {
        ...outcome,
        ...(status.includes('_') ? { 'weather.retry.next_time': instant(rest.at + 5000) } : {}),
        ...(step === 'communication' && transport !== null
          ? { 'weather.response.transport': transport }
          : {}),
      },
      events: (scores as readonly Record<string, unknown>[]).map(componentScore),
    }),
  );

const decisionSpan = fc
  .record({
    run: fc.integer({ min: 1, max: 2 }),
    at: fc.integer({ min: 0, max: 60_000 }),
    status: fc.constantFrom('seeding', 'gfs_ready', 'awaiting_results', ...TERMINAL_RUN_STATUSES),
    errorType: fc.option(fc.constantFrom(...ERROR_CATEGORIES), { nil: undefined }),
    message: fc.constantFrom(undefined, 'GFS could not be read', 'the user ended it'),
    decision: fc.constantFrom('query_miners', 'wait_for_gfs', 'complete_run'),
  })
  .map(({ decision, status, errorType, message, ...rest }) =>
    endedSpan({
      ...rest,
      step: 'orchestration',
      miner: null,
      attributes: {
        'weather.run.status': status,
        ...(errorType && { 'weather.run.error_type': errorType }),
        ...(message && { 'weather.run.error_message': message }),
      },
      events: [
        {
          name: 'weather.orchestration.decision',
          timeUnixNano: T,
          attributes: {
            'weather.orchestration.decision': decision,
            'weather.orchestration.reason': 'because',
          },
        },
      ],
    }),
  );

const fetchSpan = fc
  .record({
    run: fc.integer({ min: 1, max: 2 }),
    attempt: fc.integer({ min: 1, max: 6 }),
    at: fc.integer({ min: 0, max: 60_000 }),
    status: fc.constantFrom('succeeded', 'failed', 'retry_scheduled'),
    category: fc.constantFrom(...ERROR_CATEGORIES),
    stage: fc.boolean(),
  })
  .map(({ category, stage, ...rest }) =>
    endedSpan({
      ...rest,
      step: 'seed',
      substep: 'gfs_download',
      miner: null,
      maxAttempts: 6,
      ...(rest.status === 'succeeded' ? {} : { error: { type: category, message: `${category} in GFS` } }),
      attributes: {
        ...(stage && { 'weather.stage': 'gfs_fetch' }),
        ...(rest.status === 'retry_scheduled' && { 'weather.retry.next_time': instant(rest.at + 5000) }),
      },
    }),
  );

/** Each flag of the trace, the same for start, end and closing of one step. */
const withFlag = (span: ObservedSpan): ObservedSpan => ({
  ...span,
  traceSampled: [true, false, undefined][Number.parseInt(span.spanId.slice(-1), 16) % 3],
});

/** Steps of a run as a whole. */
const runSpan = fc.oneof(decisionSpan, fetchSpan);

/** Closings of steps, some with a real end as well, some closed twice. */
const closings = fc.array(
  fc.record({
    of: fc.nat(),
    reason: fc.constantFrom(...CLOSING_REASONS),
    at: fc.integer({ min: 0, max: 90_000 }),
  }),
  { maxLength: 6 },
);

/** The spans of some recorded runs: each span once, some of them with the start that was observed before. */
export const recordedRun: fc.Arbitrary<readonly ObservedSpan[]> = fc
  .record({
    spans: fc.array(fc.oneof({ weight: 5, arbitrary: stepSpan }, { weight: 2, arbitrary: runSpan }), {
      minLength: 1,
      maxLength: 30,
    }),
    running: fc.array(fc.oneof({ weight: 3, arbitrary: stepSpan }, { weight: 1, arbitrary: runSpan }), {
      maxLength: 4,
    }),
    closings,
  })
  .map(({ spans, running, closings: closed }) => {
    const ended = [...new Map(spans.map((span) => [span.spanId, withFlag(span)])).values()];
    const ids = new Set(ended.map(({ spanId }) => spanId));
    const open = new Map(
      running.filter(({ spanId }) => !ids.has(spanId)).map((span) => [span.spanId, withFlag(span)]),
    );
    const steps = [...ended, ...open.values()];
    const ends = closed.flatMap(({ of, reason, at }) => {
      const step = steps[of % steps.length];
      const micros = Number(T / 1000n) + at * 1000;
      return step === undefined ? [] : [closingSpan(startOfSpan(step), { reason, at: micros })];
    });
    return [
      ...ended.flatMap((span) => [startOfSpan(span), span]),
      ...[...open.values()].map(startOfSpan),
      ...ends,
    ];
  });

/** The same spans in another order, some of them repeated, cut into batches. */
export function disturbed(
  spans: readonly ObservedSpan[],
): fc.Arbitrary<readonly (readonly ObservedSpan[])[]> {
  return fc
    .array(fc.constantFrom(...spans), { maxLength: spans.length })
    .chain((repeated) => {
      const all = [...spans, ...repeated];
      return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
    })
    .chain((ordered) =>
      fc.array(fc.integer({ min: 0, max: ordered.length }), { maxLength: 6 }).map((cuts) =>
        cut(
          ordered,
          cuts.sort((a, b) => a - b),
        ),
      ),
    );
}

function cut(spans: readonly ObservedSpan[], cuts: readonly number[]): (readonly ObservedSpan[])[] {
  const edges = [0, ...cuts, spans.length];
  return edges.slice(1).map((edge, index) => spans.slice(edges[index], edge));
}
