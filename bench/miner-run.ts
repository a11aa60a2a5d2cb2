import { createHash } from 'node:crypto';
import type { ObservedSpan } from '../src/facts/observed-span.ts';
import { ERA5_LEAD_HOURS } from '../src/semconv/index.ts';
import { endedSpan, T, type SpanOptions } from '../test/support/spans.ts';

const POLLS = 20;
const MILLIS_BETWEEN_RUNS = 60_000;
const TIMEOUT = { type: 'timeout', message: 'no answer within 30 s' } as const;
const FAILURE = { type: 'http_5xx', message: 'status 503' } as const;
const COVERAGE = { type: 'data_coverage', message: 'half of the field is missing' } as const;
/** The spans of a benchmark are of the hour before it, whatever day that is. */
const SHIFT = BigInt(Date.now() - 3_600_000) * 1_000_000n - T;

const hexNumber = (value: number, digits: number): string => (value + 1).toString(16).padStart(digits, '0');
/** As long, and as hard to compress, as real hotkeys are. */
const minerOf = (uid: number) => ({
  uid,
  hotkey: `5${createHash('sha512').update(String(uid)).digest('base64').replaceAll(/[+/=]/g, 'x').slice(0, 47)}`,
});
const succeeded = { 'weather.response.transport': 'success' };
const failed = { 'weather.response.transport': 'failure' };

/** The 40 steps of one miner in one run; every seventh forecast fails. */
export function minerRun(run: number, uid: number): readonly ObservedSpan[] {
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
  return steps.map((step, index) => {
    const at = run * MILLIS_BETWEEN_RUNS + index * 100;
    const ids = {
      traceId: hexNumber(run * 1000 + uid, 32),
      spanId: hexNumber((run * 1000 + uid) * 100 + index, 16),
    };
    return shifted(endedSpan({ maxAttempts: 20, ...step, ...ids, run, miner: minerOf(uid), at }));
  });
}

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
