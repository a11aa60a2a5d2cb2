import { createHash } from 'node:crypto';
import type { ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS } from '#semconv';
import { endedSpan, T, type SpanOptions } from './support/ended-span.ts';

const POLLS = 20;
const MILLIS_BETWEEN_RUNS = 60_000;
const TIMEOUT = { type: 'timeout', message: 'no answer within 30 s' } as const;
const FAILURE = { type: 'http_5xx', message: 'status 503' } as const;
const COVERAGE = { type: 'data_coverage', message: 'half of the field is missing' } as const;
/** The spans of a benchmark are of the two hours before it, whatever day that is. */
const BEGINNING = Date.now() - 7_200_000;
const SHIFT = BigInt(BEGINNING) * 1_000_000n - T;
const RUNS_IN_THAT_TIME = 100;

/** The emitter of the spans, unless another process is given. */
export const BENCH_EMITTER = { validatorHotkey: '5Validator', instanceId: 'instance-1' } as const;

/** Ids as an SDK makes them: unordered, which is the hard case for an index. */
const randomHex = (seed: string, digits: number): string =>
  createHash('sha256').update(seed).digest('hex').slice(0, digits);
/** Hotkeys as long, and as incompressible, as real ones. */
export const benchMiner = (uid: number): { readonly uid: number; readonly hotkey: string } => ({
  uid,
  hotkey: `5${createHash('sha512').update(String(uid)).digest('base64').replaceAll(/[+/=]/g, 'x').slice(0, 47)}`,
});
const succeeded = { 'weather.response.transport': 'success' };
const failed = { 'weather.response.transport': 'failure' };

/** The 40 steps of one miner in one run; every seventh forecast fails. */
export function minerRun(
  run: number,
  uid: number,
  instance: string = BENCH_EMITTER.instanceId,
): readonly ObservedSpan[] {
  const isFailed = (run + uid) % 7 === 0;
  const score = 0.3 + ((run * 31 + uid * 17) % 100) / 300;
  const steps: readonly SpanOptions[] = [
    { step: 'seed', attributes: { 'weather.forecast.status': 'seeded', 'weather.stage': 'init' } },
    { step: 'communication', error: TIMEOUT, attributes: failed },
    { step: 'query', error: TIMEOUT, status: 'retry_scheduled' },
    { step: 'communication', attempt: 2, attributes: succeeded },
    { step: 'query', attempt: 2, attributes: { 'weather.stage': 'inference_running' } },
    { step: 'communication', substep: 'poll_job_status', error: FAILURE, attributes: failed },
    { step: 'communication', substep: 'poll_job_status', attempt: 2, attributes: succeeded },
    ...Array.from({ length: POLLS - 1 }, (_, poll) => polled(poll + 1)),
    {
      step: 'poll',
      attempt: POLLS,
      attributes: {
        'weather.inference.duration_seconds': 600 + score * 100,
        'weather.stage': 'awaiting_scoring',
      },
    },
    { step: 'verify', attributes: { 'weather.verification.passed': true } },
    {
      step: 'day1',
      lead: 12,
      attributes: { 'weather.score.initial': score, 'weather.stage': 'day1_scored' },
    },
    ...ERA5_LEAD_HOURS.map((lead) => scored(lead, isFailed ? null : score)),
    {
      step: 'aggregate',
      attributes: {
        'weather.forecast.status': isFailed ? 'failed' : 'completed',
        'weather.stage': 'complete',
      },
    },
  ];
  const miner = benchMiner(uid);
  const traceId = randomHex(`${run}/${uid}`, 32);
  return steps.map((step, index) => {
    const at = (run % RUNS_IN_THAT_TIME) * MILLIS_BETWEEN_RUNS + index * 100;
    const spanId = randomHex(`${run}/${uid}/${index}`, 16);
    const attributes = { 'weather.run.init_time': initTimeOf(run), ...step.attributes };
    const span = { maxAttempts: 20, ...step, attributes, traceId, spanId, run, miner, at, instance };
    return shifted(endedSpan(span));
  });
}

/** A run of many miners in the order in which steps end: the miners are interleaved. */
export function runOfMiners(run: number, miners: number, instance?: string): readonly ObservedSpan[] {
  const each = Array.from({ length: miners }, (_, uid) => minerRun(run, uid, instance));
  const steps = each[0]?.length ?? 0;
  return Array.from({ length: steps }, (_, step) =>
    each.flatMap((spans) => spans.slice(step, step + 1)),
  ).flat();
}

/** T0 of a run: the day before, a second later with every run. */
export const initTimeOf = (run: number): string =>
  new Date(BEGINNING - 86_400_000 + run * 1000).toISOString();

const polled = (attempt: number): SpanOptions => ({ step: 'poll', attempt, status: 'retry_scheduled' });

const scored = (lead: number, score: number | null): SpanOptions =>
  score === null
    ? { step: 'era5', lead, error: COVERAGE }
    : { step: 'era5', lead, attributes: { 'weather.score.era5': score + lead / 10_000 } };

function shifted(span: ObservedSpan): ObservedSpan {
  const { startTimeUnixNano, endTimeUnixNano } = span;
  return {
    ...span,
    startTimeUnixNano: startTimeUnixNano + SHIFT,
    endTimeUnixNano: endTimeUnixNano === null ? null : endTimeUnixNano + SHIFT,
  };
}
