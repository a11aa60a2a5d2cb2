import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '../../../exporters/postgres/exporter.ts';
import { replayLetters } from '../../../exporters/postgres/replay.ts';
import type { ExportReport } from '../../../exporters/export-report.ts';
import type { ObservedSpan } from '../../../src/facts/observed-span.ts';
import type { DeadLetterReason } from '../../../src/semconv/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { componentScore, endedSpan, T, type SpanOptions } from '../../support/spans.ts';
import { emptyTables } from '../../support/tables.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

const NOW = new Date('2026-11-24T00:00:00Z');
const now = (): number => NOW.getTime();
const MEGABYTE = 1 << 20;
/** Text that no compression makes short enough for an index. */
const noise = Array.from({ length: 300 }, (_, n) => createHash('sha256').update(`${n}`).digest('hex')).join(
  '',
);

const spanOf = (
  attributes: Readonly<Record<string, unknown>>,
  rest: Partial<SpanOptions> = {},
): ObservedSpan => endedSpan({ step: 'query', attributes, ...rest });
const scoredAt = (valid_time: string, level = 500): ObservedSpan =>
  endedSpan({
    step: 'era5',
    lead: 24,
    events: [componentScore({ score_type: 'era5', variable_name: 'z', pressure_level: level, valid_time })],
  });
const plain = spanOf({});
const startedAt = (iso: string): ObservedSpan => {
  const start = BigInt(Date.parse(iso)) * 1_000_000n;
  return { ...plain, startTimeUnixNano: start, endTimeUnixNano: start + 1n };
};

type Fate = 'recorded' | DeadLetterReason;

const POISONS: readonly (readonly [what: string, fate: Fate, span: ObservedSpan])[] = [
  ['an unknown attribute of a megabyte', 'recorded', spanOf({ 'weather.noise': 'x'.repeat(MEGABYTE) })],
  ['a message of a megabyte', 'recorded', spanOf({ 'weather.run.error_message': 'x'.repeat(MEGABYTE) })],
  ['JSON of a megabyte', 'recorded', spanOf({ 'weather.step.context': `{"a":"${'x'.repeat(MEGABYTE)}"}` })],
  ['bytes that were no UTF-8', 'recorded', spanOf({ 'weather.job.id': 'a\uFFFDb' })],
  ['half of a character', 'recorded', spanOf({ 'weather.job.id': 'a\ud800b' })],
  ['a NUL', 'recorded', spanOf({ 'weather.job.id': 'a\0b' })],
  ['a NUL in JSON', 'recorded', spanOf({ 'weather.step.context': '{"a":"\\u0000"}' })],
  ['a duration below zero', 'recorded', { ...plain, endTimeUnixNano: T - 1n }],
  ['a run that nobody knows', 'recorded', spanOf({ 'weather.run.id': 987_654_321 })],
  ['a run below zero', 'recorded', spanOf({ 'weather.run.id': -1 })],
  ['an object where a text belongs', 'recorded', spanOf({ 'weather.job.id': { $bigint: 'x' } })],
  ['a step that nobody knows', 'invalid_attribute', spanOf({ 'weather.step.name': 'teleport' })],
  ['a status that nobody knows', 'invalid_attribute', spanOf({ 'weather.step.status': 'done' })],
  ['a substep of another step', 'missing_attribute', spanOf({ 'weather.step.substep': 'manifest' })],
  ['an uid that no column holds', 'invalid_attribute', spanOf({ 'weather.miner.uid': 2 ** 31 })],
  ['a run beyond exact numbers', 'invalid_attribute', spanOf({ 'weather.run.id': 2 ** 53 })],
  ['a run beyond bigint', 'invalid_attribute', spanOf({ 'weather.run.id': 2n ** 64n })],
  ['a run that is none', 'missing_attribute', spanOf({ 'weather.run.id': NaN })],
  ['a 30th of February', 'invalid_attribute', spanOf({ 'weather.retry.next_time': '2026-02-30T00:00:00Z' })],
  ['a start in 1999', 'clock_out_of_range', startedAt('1999-12-31T23:59:59Z')],
  ['a start in 1970', 'clock_out_of_range', { ...plain, startTimeUnixNano: 0n }],
  ['a start the day after tomorrow', 'clock_out_of_range', startedAt('2026-11-25T00:00:01Z')],
  ['a start as late as OTLP can say', 'clock_out_of_range', { ...plain, startTimeUnixNano: 2n ** 64n - 1n }],
  ['a start beyond every calendar', 'clock_out_of_range', { ...plain, startTimeUnixNano: 10n ** 30n }],
  ['a field of 1850', 'clock_out_of_range', scoredAt('1850-01-01T00:00:00Z')],
  ['a field in three years', 'clock_out_of_range', scoredAt('2029-11-24T00:00:00Z')],
  ['a level that no int4 holds', 'refused_by_database', scoredAt('2026-11-24T00:00:00Z', 2 ** 31)],
  ['an end beyond every calendar', 'refused_by_database', { ...plain, endTimeUnixNano: 10n ** 24n }],
  ['an end after the year 9999', 'refused_by_database', { ...plain, endTimeUnixNano: 4n * 10n ** 20n }],
  [
    'a time before the first year',
    'refused_by_database',
    spanOf({ 'weather.retry.next_time': '0000-01-01T00:00:00Z' }),
  ],
  ['a miner too long for its key', 'refused_by_database', spanOf({ 'weather.miner.hotkey': noise })],
  ['a trace id that is none', 'refused_by_database', { ...plain, traceId: 'abc' }],
  ['a NUL in the id', 'refused_by_database', { ...plain, spanId: `\0${'a'.repeat(15)}` }],
];

const neighbour = endedSpan({ step: 'poll', run: 2, at: 1000 });

async function rows<Row extends object>(sql: string): Promise<readonly Row[]> {
  return (await database.pool.query<Row>(sql)).rows;
}
const stepNames = async (): Promise<readonly string[]> =>
  (await rows<{ step_name: string }>('select step_name from weather_forecast_steps')).map(
    (row) => row.step_name,
  );
const letterReasons = async (): Promise<readonly string[]> =>
  (await rows<{ reason: string }>('select reason from dead_letter_spans')).map(({ reason }) => reason);
const detailOfLetter = async (): Promise<string> =>
  (await rows<{ detail: string }>('select detail from dead_letter_spans'))[0]?.detail ?? '';

/** What the processor does with a batch: what is rejected together is tried alone, and buried when it is the only one. */
async function isolate(spans: readonly ObservedSpan[]): Promise<readonly ExportReport['kind'][]> {
  const exporter = createPostgresExporter({ pool: database.pool, now });
  const together = await exporter.exportObserved(spans);
  if (together.kind !== 'rejected') return [together.kind];
  const kinds: ExportReport['kind'][] = ['rejected'];
  for (const span of spans) {
    const alone = await exporter.exportObserved([span]);
    kinds.push(alone.kind);
    if (alone.kind === 'rejected') kinds.push((await exporter.bury(span, alone.error)).kind);
  }
  return kinds;
}

describe('a poisoned span', () => {
  it.each(POISONS)(
    'holds up no neighbour and is never lost: %s is %s',
    { timeout: 60_000 },
    async (_what, fate, span) => {
      const kinds = await isolate([span, neighbour]);
      expect(kinds).toEqual(
        fate === 'refused_by_database' ? ['rejected', 'rejected', 'written', 'written'] : ['written'],
      );
      expect(await stepNames()).toHaveLength(fate === 'recorded' ? 2 : 1);
      expect(await letterReasons()).toEqual(fate === 'recorded' ? [] : [fate]);
      if (fate !== 'recorded') expect((await detailOfLetter()).length).toBeGreaterThan(10);
    },
  );

  it.each(POISONS.filter(([, fate]) => fate !== 'recorded'))(
    'stays a letter with its reason when it is replayed while nothing has changed: %s',
    { timeout: 60_000 },
    async (_what, fate, span) => {
      await isolate([span]);
      const { recorded, refused, stripped } = await replayLetters(database.pool, {}, NOW);
      expect(recorded).toBe(0);
      expect(stripped === 1 ? { [fate]: stripped } : refused).toEqual({ [fate]: 1 });
      expect(await letterReasons()).toEqual([fate]);
    },
  );

  it('names what was got and what is allowed when a clock is wild', async () => {
    await isolate([startedAt('2031-01-01T00:00:00Z')]);
    expect(await detailOfLetter()).toBe(
      'the step started at 2031-01-01T00:00:00.000Z; allowed: 2000-01-01T00:00:00.000Z to a day after now, 2026-11-25T00:00:00.000Z',
    );
  });

  it('makes no partition when its clock is wild, neither for its start nor for its end', async () => {
    const wild = startedAt('2031-01-01T00:00:00Z');
    await isolate([
      { ...wild, phase: 'started', endTimeUnixNano: null },
      wild,
      scoredAt('2031-01-01T00:00:00Z'),
    ]);
    expect(await letterReasons()).toHaveLength(2);
    await isolate([{ ...wild, phase: 'started', endTimeUnixNano: null }]);
    expect(await letterReasons()).toHaveLength(3);
    expect(await stepNames()).toEqual([]);
    const wildOnes = await rows(`select from pg_class where relname ~ '_(2030|2031)'`);
    expect(wildOnes).toEqual([]);
  });
});
