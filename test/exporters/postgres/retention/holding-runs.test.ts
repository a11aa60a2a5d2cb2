import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { reconcileFolds } from '#postgres/maintenance/reconcile';
import { findHeldPartitions } from '#postgres/retention/holding-runs';
import { maintainPartitions } from '#postgres/retention/retention';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { LOG_TABLES } from '#semconv';
import { queryRows } from '#test/exporters/postgres/support/database';
import { interceptPool } from '#test/support/intercepted-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { componentScore, endedSpan, T, type SpanOptions } from '#test/support/spans';
import { dumpTables } from '#test/support/tables';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const NOW = new Date('2027-01-15T12:00:00Z');
const A_DAY = { weather_forecast_steps: 1, weather_forecast_component_scores: 1 };
/** The week in which the run below began; it ended two weeks before now. */
const FIRST_WEEK = 'weather_forecast_steps_finished_20261224';
const SCORES = 'weather_forecast_component_scores_20261217';

type At = Omit<SpanOptions, 'at'> & { readonly at: string };
const span = ({ at, ...options }: At): ObservedSpan =>
  endedSpan({ ...options, at: Date.parse(at) - Number(T / 1_000_000n) });
const runStatus = (at: string, status: string, run = 1): ObservedSpan =>
  span({ at, step: 'orchestration', miner: null, run, attributes: { 'weather.run.status': status } });
const query = (at: string, run = 1): ObservedSpan => span({ at, step: 'query', run });
const WEEKS_OF_RUN_2 = [
  query('2026-12-26T20:00:00Z', 2),
  query('2027-01-02T20:00:00Z', 2),
  runStatus('2027-01-02T21:00:00Z', 'completed', 2),
];

/** A run that began 20 days before now: one miner waits for a retry, another one for truth since its first day. */
const OPEN_RUN = [
  runStatus('2026-12-26T18:00:00Z', 'awaiting_results'),
  span({ at: '2026-12-26T18:01:00Z', step: 'seed', attributes: { 'weather.forecast.status': 'seeded' } }),
  span({
    at: '2026-12-26T19:00:00Z',
    step: 'query',
    maxAttempts: 4,
    status: 'retry_scheduled',
    error: { type: 'timeout', message: 'no answer within 30 s' },
    attributes: { 'weather.retry.next_time': '2027-01-16T00:00:00Z' },
  }),
  span({
    at: '2026-12-27T19:00:00Z',
    step: 'era5',
    lead: 24,
    miner: { uid: 8, hotkey: '5Eight' },
    maxAttempts: 5,
    status: 'waiting_for_truth',
    attributes: { 'weather.retry.next_time': '2027-01-16T01:00:00Z' },
  }),
  span({
    at: '2026-12-27T20:00:00Z',
    step: 'day1',
    lead: 12,
    miner: { uid: 8, hotkey: '5Eight' },
    attributes: { 'weather.score.initial': 0.5 },
    events: [
      componentScore({
        score_type: 'day1',
        variable_name: 'z',
        pressure_level: 500,
        valid_time: '2026-12-27T06:00:00Z',
        rmse: 1,
      }),
    ],
  }),
];
const END = runStatus('2027-01-15T11:00:00Z', 'completed');

async function record(...spans: readonly ObservedSpan[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
  expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
}
const maintain = (now = NOW, pool = database.pool) => maintainPartitions(pool, { now, retention: A_DAY });

/** What people see of the run, and the component scores of it. */
async function views(): Promise<readonly unknown[]> {
  const names = ['run_progress', 'scheduled_retries', 'stuck_steps', 'newest_attempts', 'missing_scores'];
  const rows = names.map((view) => queryRows(database.pool, `select * from ${view} where run_id = 1`));
  const scores = queryRows(database.pool, 'select * from weather_forecast_component_scores where run_id = 1');
  return Promise.all([...rows, scores]);
}

const EVERYTHING = { validatorHotkey: null, runId: null };
const rebuild = () => inTransaction(database.pool, (client) => rebuildFolds(client, EVERYTHING));
const differences = async (): Promise<number> =>
  (await inTransaction(database.pool, (client) => reconcileFolds(client, EVERYTHING), { end: 'rollback' }))
    .differenceCount;

/** The recorded tables that are folds of the log. */
async function folds(): Promise<Record<string, readonly string[]>> {
  const tables = Object.entries(await dumpTables(database.pool));
  return Object.fromEntries(tables.filter(([name]) => !(LOG_TABLES as readonly string[]).includes(name)));
}
const letters = () => queryRows(database.pool, 'select reason, span_id from dead_letter_spans');
const archivedRuns = async (): Promise<readonly number[]> =>
  (
    await queryRows<{ id: number }>(database.pool, 'select run_id::int as id from archived_runs order by 1')
  ).map(({ id }) => id);
const held = (name: string, expiredAt: string, runs = [RUN_1]) => ({
  name,
  expiredAt: Date.parse(expiredAt) * 1000,
  runs,
});
const RUN_1 = {
  validatorId: 1,
  validatorHotkey: '5Validator',
  runId: 1,
  status: 'awaiting_results',
  isOverdue: false,
};

describe('retention of a run that has not ended', () => {
  it('the waits and retries of a run of 20 days stay in the views with a retention of one day', async () => {
    await record(...OPEN_RUN);
    const before = await views();
    expect(before.map((rows) => (rows as readonly unknown[]).length)).toEqual([1, 2, 2, 4, 3, 1]);
    expect(await maintain()).toMatchObject({
      dropped: [],
      postponed: [],
      held: [held(FIRST_WEEK, '2027-01-01T00:00:00Z'), held(SCORES, '2027-01-15T00:00:00Z')],
    });
    expect(await views()).toEqual(before);
    expect(await differences()).toBe(0);
  });

  it('its partitions are dropped by the round after its end, and no fold changes by that', async () => {
    await record(...OPEN_RUN);
    await maintain();
    await record(END);
    const before = await folds();
    expect(await maintain()).toMatchObject({ dropped: [FIRST_WEEK, SCORES], held: [] });
    expect(await archivedRuns()).toEqual([1]);
    expect(await differences()).toBe(0);
    await rebuild();
    expect(await folds()).toEqual(before);
  });

  it('each partition is kept or dropped by itself, so a newer one goes before an older one', async () => {
    await record(...OPEN_RUN, ...WEEKS_OF_RUN_2);
    const [before, shown] = [await folds(), await views()];
    expect(await maintain()).toMatchObject({
      dropped: ['weather_forecast_steps_finished_20261231'],
      held: [{ name: FIRST_WEEK, runs: [RUN_1] }, { name: SCORES }],
    });
    expect(await archivedRuns()).toEqual([2]);
    expect(await differences()).toBe(0);
    await rebuild();
    expect([await folds(), await views()]).toEqual([before, shown]);

    await record(END);
    const ended = await folds();
    expect((await maintain()).dropped).toEqual([FIRST_WEEK, SCORES]);
    await rebuild();
    expect(await folds()).toEqual(ended);
  });

  it('a partition of other validators and runs is kept for each run that has not ended, in their order', async () => {
    const other = { step: 'query', at: '2026-12-28T00:00:00Z', validator: '5Other', run: 1 } as const;
    await record(...OPEN_RUN, ...WEEKS_OF_RUN_2);
    await record(
      span({ ...other, attributes: { 'weather.run.status': 'gfs_ready' } }),
      span({ ...other, run: 2, attributes: { 'weather.run.status': 'failed' } }),
    );
    const { held: kept } = await maintain();
    expect(kept.find(({ name }) => name === FIRST_WEEK)?.runs).toMatchObject([
      RUN_1,
      { validatorHotkey: '5Other', runId: 1, status: 'gfs_ready' },
    ]);
    expect(await findHeldPartitions(database.pool, { now: NOW, retention: A_DAY })).toEqual(kept);
  });
});

describe('retention of a run without a known end', () => {
  const oneSpan = query('2026-12-26T18:00:00Z');
  /** The week of the span ended on the 31st of December. */
  const LAST_HELD = new Date('2027-02-13T23:59:59Z');
  const NEXT = new Date('2027-02-14T00:00:00Z');

  it.each([
    ['without a status', `select`],
    ['with a status that Barograph does not know', `update weather_forecast_runs set status = 'resting'`],
    ['without a row', `delete from weather_forecast_runs`],
  ])(
    'a run %s holds a partition until that ended 45 days ago, so that no stray span does for ever',
    async (_name, sql) => {
      await record(oneSpan);
      await database.pool.query(sql);
      expect(await maintain(LAST_HELD)).toMatchObject({
        dropped: [],
        held: [{ name: FIRST_WEEK, runs: [{ runId: 1, status: null }] }],
      });
      expect(await maintain(NEXT)).toMatchObject({ dropped: [FIRST_WEEK], held: [] });
    },
  );

  it('a run with a status holds its partitions until it ends, and is marked when it began 45 days ago', async () => {
    await record(...OPEN_RUN);
    const marked = async (now: string) =>
      (await maintain(new Date(now))).held.map(({ name, runs }) => [name, runs]);
    expect(await marked('2027-02-09T18:00:00Z')).toEqual([
      [FIRST_WEEK, [RUN_1]],
      [SCORES, [RUN_1]],
    ]);
    const overdue = { ...RUN_1, isOverdue: true };
    for (const now of ['2027-02-09T18:00:01Z', '2027-06-01T00:00:00Z'])
      expect(await marked(now)).toEqual([
        [FIRST_WEEK, [overdue]],
        [SCORES, [overdue]],
      ]);
  });

  it('a young run that scores an old cycle holds those scores and is not marked', async () => {
    const day1 = OPEN_RUN.at(-1);
    const events = day1?.events.map((event) => ({
      ...event,
      attributes: { ...event.attributes, 'weather.component.valid_time': '2026-06-01T06:00:00Z' },
    }));
    await record(...OPEN_RUN.slice(0, -1), ...(day1 && events ? [{ ...day1, events }] : []));
    expect((await maintain()).held).toMatchObject([
      { name: FIRST_WEEK },
      { name: 'weather_forecast_component_scores_20260507', runs: [RUN_1] },
    ]);
  });
});

describe('retention beside a writer of a run that has not ended', () => {
  const ofOpenRun = query('2027-01-01T18:00:00Z', 1);
  const PARTITION = 'weather_forecast_steps_finished_20261231';
  const RUN_2 = [query('2027-01-02T20:00:00Z', 2), runStatus('2027-01-02T21:00:00Z', 'failed', 2)];
  const countSteps = (): Promise<readonly unknown[]> =>
    queryRows(database.pool, `select from weather_forecast_steps where started_at >= '2026-12-31'`);

  it('a span that arrives before the lock of the drop is granted keeps the partition', async () => {
    await record(...OPEN_RUN, ...RUN_2);
    const pool = interceptPool(database.pool, async (text, run) => {
      if (text.startsWith(`lock table ${PARTITION}`)) await record(ofOpenRun);
      return run();
    });
    const { dropped, held: kept } = await maintain(NOW, withQuery(pool));
    expect(dropped).toEqual([]);
    expect(kept.find(({ name }) => name === PARTITION)?.runs).toEqual([RUN_1]);
    expect(await countSteps()).toHaveLength(3);
  });

  /** Starts to write the span when the drop is about to run this statement, and goes on when the writer waits. */
  async function dropBesideWriter(statement: RegExp) {
    await record(...OPEN_RUN, ...RUN_2);
    const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
    // The exporter knows the partition from here on.
    await exporter.exportObserved([...RUN_2]);
    const writing: ReturnType<typeof exporter.exportObserved>[] = [];
    const pool = interceptPool(database.pool, async (text, run) => {
      if (statement.test(text) && writing.length === 0) {
        writing.push(exporter.exportObserved([ofOpenRun]));
        await untilWriterWaits();
      }
      return run();
    });
    const { dropped } = await maintain(NOW, withQuery(pool));
    return {
      dropped,
      reports: await Promise.all(writing),
      retry: () => exporter.exportObserved([ofOpenRun]),
    };
  }
  const expectHeld = async (): Promise<void> => {
    expect(await letters()).toEqual([]);
    expect((await maintain()).held.find(({ name }) => name === PARTITION)?.runs).toEqual([RUN_1]);
    expect(await differences()).toBe(0);
  };

  it('a writer that waits for the lock of the drop goes first, and its span keeps the partition', async () => {
    const { dropped, reports } = await dropBesideWriter(/^insert into dropped_partitions/);
    expect([dropped, reports]).toEqual([[], [{ kind: 'written' }]]);
    await expectHeld();
    expect(await countSteps()).toHaveLength(3);
  });

  it('a span that comes too late for the drop is recorded by its retry, and holds the partition from then on', async () => {
    const { dropped, reports, retry } = await dropBesideWriter(/^alter table .* detach/);
    expect([dropped, reports]).toMatchObject([[PARTITION], [{ kind: 'retryable' }]]);
    expect(await retry()).toEqual({ kind: 'written' });
    await expectHeld();
    expect(await countSteps()).toHaveLength(1);
  });

  const withQuery = (pool: Pool): Pool =>
    Object.assign(pool, { query: database.pool.query.bind(database.pool) });

  async function untilWriterWaits(): Promise<void> {
    await expect
      .poll(() =>
        queryRows(
          database.pool,
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        ),
      )
      .toHaveLength(1);
  }
});

describe('readHoldingRuns', () => {
  it('the runs of a partition are found by their keys, not by reading its rows', async () => {
    await record(...OPEN_RUN, ...WEEKS_OF_RUN_2);
    await database.pool.query(
      `insert into ${FIRST_WEEK} (validator_id, trace_id, span_id, span_name, id, run_id, step_name, substep, attempt,
         status, started_at, retry_count, facts)
       select 1, repeat('0', 32), lpad(to_hex(n), 16, '0'), 'poll', n, 1 + n % 2, 'poll', 'attempt_1', 1, 'succeeded',
         '2026-12-26', 0, '{}' from generate_series(1, 30000) as n`,
    );
    await database.pool.query(`vacuum analyze ${FIRST_WEEK}`);
    const plans: Plan[] = [];
    const pool = interceptPool(database.pool, async (text, run, client) => {
      if (text.includes('with recursive') && text.includes(FIRST_WEEK)) {
        const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
          `explain (analyze, format json) ${text.replace('$1', `'{}'`).replaceAll('$2', 'false').replace('$3', '0')}`,
        );
        plans.push(...rows.map((row) => row['QUERY PLAN'][0].Plan));
      }
      return run();
    });
    await maintain(NOW, Object.assign(pool, { query: database.pool.query.bind(database.pool) }));
    const scans = plans.flatMap(scansOf).filter(({ relation }) => relation === FIRST_WEEK);
    expect(scans.map(({ node }) => node)).toEqual(['Index Only Scan', 'Index Only Scan']);
    expect(Math.max(...scans.map(({ rows }) => rows))).toBe(1);
  });
});

/** A node of a plan, as PostgreSQL prints it; the rows are a mean over the loops of the node. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly Plan[];
}

const scansOf = (plan: Plan): readonly { node: string; relation: string | undefined; rows: number }[] => [
  { node: plan['Node Type'], relation: plan['Relation Name'], rows: Math.ceil(plan['Actual Rows']) },
  ...(plan.Plans ?? []).flatMap(scansOf),
];
