import { createHash } from 'node:crypto';
import type { ObservedSpan } from '#facts/observed-span';
import type { DeadLetterReason } from '#semconv';
import { componentScore, endedSpan, T, type SpanOptions } from './spans.ts';

/** The clock by which the poisons are judged. */
export const POISON_CLOCK = new Date('2026-11-24T00:00:00Z');
const MEGABYTE = 1 << 20;
/** Text that no compression makes short enough for an index. */
const noise = Array.from({ length: 300 }, (_, n) => createHash('sha256').update(`${n}`).digest('hex')).join(
  '',
);

const spanOf = (
  attributes: Readonly<Record<string, unknown>>,
  rest: Partial<SpanOptions> = {},
): ObservedSpan => endedSpan({ step: 'query', attributes, ...rest });
export const scoredAt = (valid_time: string, level = 500): ObservedSpan =>
  endedSpan({
    step: 'era5',
    lead: 24,
    events: [componentScore({ score_type: 'era5', variable_name: 'z', pressure_level: level, valid_time })],
  });
const plain = spanOf({});
export const startedAt = (iso: string): ObservedSpan => {
  const start = BigInt(Date.parse(iso)) * 1_000_000n;
  return { ...plain, startTimeUnixNano: start, endTimeUnixNano: start + 1n };
};

/** What becomes of a span: a row, or a dead letter. */
type Fate = 'recorded' | DeadLetterReason;

/** Spans that could hold up or spoil their neighbours, and what becomes of each. */
export const POISONS: readonly (readonly [what: string, fate: Fate, span: ObservedSpan])[] = [
  ['an unknown attribute of a megabyte', 'recorded', spanOf({ 'weather.noise': 'x'.repeat(MEGABYTE) })],
  ['a message of a megabyte', 'recorded', spanOf({ 'weather.run.error_message': 'x'.repeat(MEGABYTE) })],
  ['JSON of a megabyte', 'recorded', spanOf({ 'weather.step.context': `{"a":"${'x'.repeat(MEGABYTE)}"}` })],
  ['bytes that were no UTF-8', 'recorded', spanOf({ 'weather.job.id': 'a\uFFFDb' })],
  ['half of a character', 'recorded', spanOf({ 'weather.job.id': 'a\ud800b' })],
  ['a NUL', 'recorded', spanOf({ 'weather.job.id': 'a\0b' })],
  ['a NUL in the validator', 'invalid_attribute', spanOf({ 'weather.validator.hotkey': 'a\0b' })],
  [
    'half of a character in the validator',
    'invalid_attribute',
    spanOf({ 'weather.validator.hotkey': 'a\ud800b' }),
  ],
  ['a NUL in the name of the span', 'recorded', { ...plain, name: 'a\0b' }],
  ['a NUL in JSON', 'recorded', spanOf({ 'weather.step.context': '{"a":"\\u0000"}' })],
  ['a duration below zero', 'recorded', { ...plain, endTimeUnixNano: T - 1n }],
  ['an unknown run', 'recorded', spanOf({ 'weather.run.id': 987_654_321 })],
  ['a run below zero', 'recorded', spanOf({ 'weather.run.id': -1 })],
  ['an object where a text belongs', 'recorded', spanOf({ 'weather.job.id': { $bigint: 'x' } })],
  ['an unknown step', 'invalid_attribute', spanOf({ 'weather.step.name': 'teleport' })],
  ['an unknown status', 'invalid_attribute', spanOf({ 'weather.step.status': 'done' })],
  ['a substep of another step', 'missing_attribute', spanOf({ 'weather.step.substep': 'manifest' })],
  ['an uid that no column holds', 'invalid_attribute', spanOf({ 'weather.miner.uid': 2 ** 31 })],
  ['a run beyond exact numbers', 'invalid_attribute', spanOf({ 'weather.run.id': 2 ** 53 })],
  ['a run beyond bigint', 'invalid_attribute', spanOf({ 'weather.run.id': 2n ** 64n })],
  ['a run that is none', 'missing_attribute', spanOf({ 'weather.run.id': NaN })],
  ['a 30th of February', 'invalid_attribute', spanOf({ 'weather.retry.next_time': '2026-02-30T00:00:00Z' })],
  ['a start in 1999', 'clock_out_of_range', startedAt('1999-12-31T23:59:59Z')],
  ['a start in 1970', 'clock_out_of_range', { ...plain, startTimeUnixNano: 0n }],
  ['a start the day after tomorrow', 'clock_out_of_range', startedAt('2026-11-25T00:00:01Z')],
  [
    'the latest start that OTLP can encode',
    'clock_out_of_range',
    { ...plain, startTimeUnixNano: 2n ** 64n - 1n },
  ],
  ['a start beyond every calendar', 'clock_out_of_range', { ...plain, startTimeUnixNano: 10n ** 30n }],
  ['a field of 1850', 'clock_out_of_range', scoredAt('1850-01-01T00:00:00Z')],
  ['a field in three years', 'clock_out_of_range', scoredAt('2029-11-24T00:00:00Z')],
  ['a level that no int4 holds', 'invalid_attribute', scoredAt('2026-11-24T00:00:00Z', 2 ** 31)],
  ['an end beyond every calendar', 'clock_out_of_range', { ...plain, endTimeUnixNano: 10n ** 24n }],
  ['an end after the year 9999', 'clock_out_of_range', { ...plain, endTimeUnixNano: 4n * 10n ** 20n }],
  [
    'a time before the first year',
    'clock_out_of_range',
    spanOf({ 'weather.retry.next_time': '0000-01-01T00:00:00Z' }),
  ],
  ['a miner too long for its key', 'invalid_attribute', spanOf({ 'weather.miner.hotkey': noise })],
  ['a validator too long for its key', 'invalid_attribute', spanOf({ 'weather.validator.hotkey': noise })],
  ['a trace id that is none', 'refused_by_database', { ...plain, traceId: 'abc' }],
  ['a NUL in the id', 'refused_by_database', { ...plain, spanId: `\0${'a'.repeat(15)}` }],
];
