import { ERA5_LEAD_HOURS } from '#semconv';
import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { recordEverything, type Disguise } from '#test/dashboards/support/recorded';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { initTimeOf, MINERS } from './recorded-runs.ts';
import { endedSpan, hexOf, type SpanOptions } from './spans.ts';

/** Two validators by their number. The second begins as the first does. */
export const VALIDATORS = { 1: '5Validator', 2: '5Valiant' } as const;
export type ValidatorNumber = keyof typeof VALIDATORS;

const HOUR_MILLIS = 3_600_000;
const HOUR_NANOS = BigInt(HOUR_MILLIS) * 1_000_000n;

/** Texts of the second validator begin with this. */
export const OTHER_TEXT = 'elsewhere: ';
/** A miner that only the second validator has. */
export const OTHER_MINER = { uid: 77, hotkey: '5Elsewhere' };

const SHIFTED = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const SCORE = /^weather\.(score\.|component\.(acc|skill_score|rmse|mae|bias))/;
const TEXT = /^(exception\.message|weather\.(orchestration\.reason|run\.error_message|component\.reason))$/;
/** The cycle and what it is valid for are the same for both. */
const SHARED = /^weather\.(run\.(init_time|target_time)|component\.valid_time)$/;

function otherValue(name: string, value: unknown): unknown {
  if (TEXT.test(name)) return `${OTHER_TEXT}${String(value)}`;
  if (SCORE.test(name) && typeof value === 'number') return value / 2;
  if (typeof value === 'string' && SHIFTED.test(value) && !SHARED.test(name))
    return new Date(
      Date.parse(value) + (name.startsWith('weather.truth.') ? 3 : 1) * HOUR_MILLIS,
    ).toISOString();
  return value;
}

const otherValues = (attributes: ObservedSpan['attributes']): ObservedSpan['attributes'] =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, otherValue(name, value)]));

const otherEvent = ({ timeUnixNano, attributes, ...event }: ObservedEvent): ObservedEvent => ({
  ...event,
  timeUnixNano: timeUnixNano + HOUR_NANOS,
  attributes: otherValues(attributes),
});

/**
 * The same step of the second validator: an hour later, with half the score and other words. Run, miner, lead, attempt,
 * process, trace and span are the same, so that only the validator tells them apart.
 */
function otherSpan(span: ObservedSpan): ObservedSpan {
  const isDead = span.attributes['weather.step.attempt'] === 0;
  return {
    ...span,
    // Dead letters are keyed by span alone.
    ...(isDead ? { spanId: hexOf('elsewhere', 16) } : {}),
    startTimeUnixNano: span.startTimeUnixNano + HOUR_NANOS,
    endTimeUnixNano: span.endTimeUnixNano === null ? null : span.endTimeUnixNano + HOUR_NANOS,
    statusMessage: span.statusMessage === null ? null : `${OTHER_TEXT}${span.statusMessage}`,
    attributes: otherValues(span.attributes),
    events: span.events.map(otherEvent),
    resource: { ...span.resource, 'weather.validator.hotkey': VALIDATORS[2] },
  };
}

const ofOther = (options: SpanOptions): ObservedSpan =>
  endedSpan({
    ...options,
    validator: VALIDATORS[2],
    attributes: { 'weather.run.init_time': initTimeOf(options.run ?? 1), ...options.attributes },
  });

const scored = (options: Pick<SpanOptions, 'run' | 'miner' | 'lead' | 'at'>, score: number): ObservedSpan =>
  ofOther({ ...options, step: 'era5', attributes: { 'weather.score.era5': score } });

const ended = (options: Pick<SpanOptions, 'run' | 'miner' | 'at'>, outcome: string): ObservedSpan =>
  ofOther({ ...options, step: 'aggregate', attributes: { 'weather.forecast.status': outcome } });

/** What only the second validator has: a miner that is the best, a run, a status, a lead scored thrice. */
const MORE: readonly ObservedSpan[] = [
  ...[1, 2].flatMap((run) => [
    ...ERA5_LEAD_HOURS.map((lead) => scored({ run, miner: OTHER_MINER, lead, at: 8_000_000 + lead }, 1)),
    ended({ run, miner: OTHER_MINER, at: 8_500_000 }, 'completed'),
  ]),
  ...[3, 4, 5, 6].map((run) =>
    ofOther({
      step: 'verify',
      run,
      miner: OTHER_MINER,
      at: 9_000_000,
      error: { type: 'verification_chunk', message: `${OTHER_TEXT}a file differs` },
    }),
  ),
  ofOther({
    step: 'orchestration',
    run: 3,
    miner: null,
    at: 50_000_000,
    attributes: { 'weather.run.status': 'awaiting_results' },
  }),
  ofOther({
    step: 'poll',
    run: 6,
    miner: MINERS.good,
    at: 60_000_000,
    error: { type: 'miner_inference', message: `${OTHER_TEXT}the inference failed` },
  }),
  ended({ run: 6, miner: MINERS.good, at: 61_000_000 }, 'failed'),
  scored({ run: 2, miner: MINERS.good, lead: 72, at: 15_000_000 }, 0.1),
  {
    ...ofOther({
      step: 'query',
      run: 6,
      miner: MINERS.good,
      at: 59_000_000,
      traceId: hexOf('unsampled', 32),
    }),
    traceSampled: false,
  },
];

const DISGUISES: Readonly<Record<ValidatorNumber, Disguise>> = {
  1: { validatorHotkey: VALIDATORS[1], span: (span) => span, more: [] },
  2: { validatorHotkey: VALIDATORS[2], span: otherSpan, more: MORE },
};

/** Times by the clock of the server, which no test can set. */
const FIX_CLOCK = `
  update emitters set
    heartbeat_at = case when heartbeat_at is not null then timestamptz '2026-11-24' + validator_id * interval '1 h' end,
    closed_at = case when closed_at is not null then timestamptz '2026-11-25' + validator_id * interval '1 h' end`;

/** A database with the record of some of the validators; the numbers of both are the same in each. */
export async function recordValidators(numbers: readonly ValidatorNumber[]): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.pool.query('insert into validators (id, hotkey) values (1, $1), (2, $2)', [
    VALIDATORS[1],
    VALIDATORS[2],
  ]);
  for (const number of numbers) await recordEverything(database, DISGUISES[number]);
  await database.pool.query(FIX_CLOCK);
  return database;
}

/** The record of both validators in one database, and of each in a database of its own. */
export interface TwoValidators {
  readonly both: TestDatabase;
  readonly alone: Readonly<Record<ValidatorNumber, TestDatabase>>;
  drop(): Promise<void>;
}

/** What is shown of a validator must be the same in both: with the other beside it, and alone. */
export async function recordTwoValidators(): Promise<TwoValidators> {
  const both = await recordValidators([1, 2]);
  const alone = { 1: await recordValidators([1]), 2: await recordValidators([2]) };
  return {
    both,
    alone,
    drop: async () => {
      for (const database of [both, alone[1], alone[2]]) await database.drop();
    },
  };
}

/**
 * Runs a query at a time that stands still: `now()` of the query itself is a function before the one of the server.
 *
 * @returns each row as text, in the order of the text
 */
export async function linesOf(
  { pool }: TestDatabase,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly string[]> {
  const client = await pool.connect();
  try {
    await client.query(`
      begin;
      create schema fixed_clock;
      create function fixed_clock.now() returns timestamptz language sql immutable as $$ select timestamptz '2026-12-24' $$;
      set local search_path = fixed_clock, public, pg_catalog`);
    const { rows } = await client.query<Record<string, unknown>>(sql, [...values]);
    return rows.map((row) => JSON.stringify(row)).sort();
  } finally {
    await client.query('rollback');
    client.release();
  }
}
