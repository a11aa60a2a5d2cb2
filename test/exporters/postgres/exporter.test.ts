import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter, ForecastSpanExporter } from '#postgres/exporter';
import type { Committed } from '#postgres/write-batch';
import { createDatabasePool } from '#database/connect';
import { openBreakableProxy } from '#test/end-to-end/support/breakable-proxy';
import { interceptPool } from '#test/support/intercepted-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan, MINER, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  await emptyTables(database.pool);
});

async function rows(sql: string): Promise<readonly Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql)).rows;
}
const steps = () => rows('select step_name, attempt, status from weather_forecast_steps order by started_at');

const query = endedSpan({ step: 'query' });
const poll = endedSpan({ step: 'poll', at: 1000 });

/** A span of the SDK itself, with the attributes of a step. */
function sdkSpan(attributes: Readonly<Record<string, string | number>>): ReadableSpan {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  provider.getTracer('test').startSpan('query test', { attributes }).end();
  const [span] = memory.getFinishedSpans();
  if (span === undefined) throw new Error('the SDK gave no span');
  return span;
}

const STEP = {
  'weather.validator.hotkey': '5Validator',
  'weather.run.id': 1,
  'weather.miner.hotkey': MINER.hotkey,
  'weather.step.name': 'query',
  'weather.step.substep': 'initiate_fetch',
};

const exported = (exporter: ForecastSpanExporter, spans: ReadableSpan[]): Promise<ExportResult> =>
  new Promise((resolve) => {
    exporter.export(spans, resolve);
  });

describe('ForecastSpanExporter as an exporter of OpenTelemetry', () => {
  it('spans of the SDK are written and the export reports success', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    expect(exporter).toBeInstanceOf(ForecastSpanExporter);
    expect(await exported(exporter, [sdkSpan(STEP)])).toEqual({ code: ExportResultCode.SUCCESS });
    expect(await steps()).toEqual([{ step_name: 'query', attempt: 1, status: 'succeeded' }]);
  });

  it('spans that are no steps are ignored and invalid steps become dead letters', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const strange = sdkSpan({ ...STEP, 'weather.step.name': 'teleport' });
    const foreign = sdkSpan({ 'http.request.method': 'GET' });
    expect((await exported(exporter, [strange, foreign])).code).toBe(ExportResultCode.SUCCESS);
    expect(await steps()).toEqual([]);
    expect(await rows('select reason from dead_letter_spans')).toEqual([{ reason: 'invalid_attribute' }]);
  });

  it('a failed export reports its error', async () => {
    const nowhere = createDatabasePool('postgres://nobody@127.0.0.1:1/nothing', {
      connectTimeoutMillis: 2000,
    });
    const result = await exported(createPostgresExporter({ pool: nowhere }), [sdkSpan(STEP)]);
    expect(result.code).toBe(ExportResultCode.FAILED);
    expect(result.error).toBeInstanceOf(Error);
    await nowhere.end();
  });

  it('a shutdown waits for earlier spans and rejects later ones', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const before = exporter.exportObserved([query]);
    await exporter.shutdown();
    expect(await steps()).toHaveLength(1);
    expect(await before).toEqual({ kind: 'written' });
    const after = await exporter.exportObserved([poll]);
    expect(after).toMatchObject({ kind: 'rejected', error: { message: 'The exporter was shut down.' } });
    expect(await steps()).toHaveLength(1);
  });
});

describe('exportObserved', () => {
  it('concurrent calls are serialized and a flush waits for all of them', async () => {
    const order: string[] = [];
    const pool = interceptPool(database.pool, async (text, run) => {
      if (text === 'begin' || text === 'commit') order.push(text);
      return run();
    });
    const exporter = createPostgresExporter({ pool });
    void exporter.exportObserved([query]);
    void exporter.exportObserved([poll]);
    await exporter.forceFlush();
    expect(order).toEqual(['begin', 'commit', 'begin', 'commit']);
    expect(await steps()).toHaveLength(2);
  });

  it('an empty batch succeeds and writes nothing', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    expect(await exporter.exportObserved([])).toEqual({ kind: 'written' });
    expect(await rows('select from validators')).toEqual([]);
  });

  it('the row of a running step becomes that of the ended step', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    await exporter.exportObserved([startOfSpan(query)]);
    expect(await steps()).toEqual([{ step_name: 'query', attempt: 1, status: 'in_progress' }]);
    await exporter.exportObserved([query]);
    await exporter.exportObserved([startOfSpan(query)]);
    expect(await steps(), 'a late start undoes no end').toEqual([
      { step_name: 'query', attempt: 1, status: 'succeeded' },
    ]);
  });

  it('onCommit receives each finished step once, however often it is delivered', async () => {
    const commits: Committed[] = [];
    const onCommit = (committed: Committed) => void commits.push(committed);
    const exporter = createPostgresExporter({ pool: database.pool, onCommit });
    await exporter.exportObserved([startOfSpan(query)]);
    await exporter.exportObserved([query, query]);
    await exporter.exportObserved([query]);
    expect(commits.map((commit) => commit.steps.map(({ stepName }) => stepName))).toEqual([
      [],
      ['query'],
      [],
    ]);
    expect(commits[1]?.rows).toMatchObject({ weather_forecast_steps: 1, miner_stats: 1 });
    expect(commits[2]?.rows).toEqual(
      Object.fromEntries(Object.keys(commits[2]?.rows ?? {}).map((table) => [table, 0])),
    );
  });

  it('onCommit receives the rows of miner_stats as committed', async () => {
    const commits: Committed[] = [];
    const exporter = createPostgresExporter({
      pool: database.pool,
      onCommit: (committed) => void commits.push(committed),
    });
    await exporter.exportObserved([
      endedSpan({ step: 'communication', attributes: { 'weather.response.transport': 'success' } }),
    ]);
    expect(commits[0]?.minerStats).toMatchObject([{ minerHotkey: MINER.hotkey, hostingSuccesses: 1 }]);
  });

  it('a batch counts as written even if onCommit throws', async () => {
    const exporter = createPostgresExporter({
      pool: database.pool,
      onCommit: () => {
        throw new Error('the mirror broke');
      },
    });
    expect(await exporter.exportObserved([query])).toEqual({ kind: 'written' });
    expect(await steps()).toHaveLength(1);
  });
});

describe('exportObserved with a failing database', () => {
  it('a batch with one refused row is rejected as a whole and leaves no rows', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const report = await exporter.exportObserved([query, { ...poll, traceId: 'abc' }]);
    expect(report).toMatchObject({ kind: 'rejected', error: { code: '23514' } });
    expect(await steps()).toEqual([]);
    expect(await rows('select from weather_forecast_stats')).toEqual([]);
    expect(await exporter.exportObserved([query]), 'the rest can be written alone').toEqual({
      kind: 'written',
    });
  });

  it('a batch retried after an outage of the database is written once', async () => {
    let isAway = true;
    const pool = {
      connect: () =>
        isAway
          ? Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
          : database.pool.connect(),
    } as unknown as Pool;
    const exporter = createPostgresExporter({ pool });
    expect(await exporter.exportObserved([query])).toMatchObject({ kind: 'retryable' });
    isAway = false;
    expect(await exporter.exportObserved([query])).toEqual({ kind: 'written' });
    expect(await steps()).toHaveLength(1);
  });

  it.each(['weather_miner_responses', 'commit'])(
    'a batch is rolled back and retryable when the server goes away before %s',
    async (place) => {
      let isKilled = false;
      const pool = interceptPool(database.pool, async (text, run, client) => {
        if (!isKilled && text.includes(place)) {
          isKilled = true;
          const gone = new Promise((resolve) => client.once('end', () => resolve(undefined)));
          const { rows: own } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
          await database.pool.query('select pg_terminate_backend($1)', [own[0]?.pid]);
          await gone;
        }
        return run();
      });
      const exporter = createPostgresExporter({ pool });
      expect(await exporter.exportObserved([query, poll])).toMatchObject({ kind: 'retryable' });
      expect(await steps()).toEqual([]);
      expect(await exporter.exportObserved([query, poll])).toEqual({ kind: 'written' });
      expect(await steps()).toHaveLength(2);
    },
  );

  it('a batch counts once when its commit succeeded and only the reply was lost', async () => {
    const call = endedSpan({
      step: 'communication',
      attributes: { 'weather.response.transport': 'success' },
    });
    await createPostgresExporter({ pool: database.pool }).exportObserved([call]);
    const clean = await dumpTables(database.pool);
    await emptyTables(database.pool);
    let isLost = false;
    const pool = interceptPool(database.pool, async (text, run) => {
      const result = await run();
      if (text !== 'commit' || isLost) return result;
      isLost = true;
      throw new Error('Connection terminated unexpectedly');
    });
    const exporter = createPostgresExporter({ pool });
    expect(await exporter.exportObserved([call])).toMatchObject({ kind: 'retryable' });
    expect(await exporter.exportObserved([call])).toEqual({ kind: 'written' });
    expect(await dumpTables(database.pool)).toEqual(clean);
  });

  it('a batch without an answer is retryable and holds up no later one, and its retry writes it once', async () => {
    const proxy = await openBreakableProxy(database.connectionString);
    const pool = createDatabasePool(proxy.url, { silenceTimeoutMillis: 1000 });
    let isFirst = true;
    const freezing = interceptPool(pool, (text, run) => {
      if (text === 'commit' && isFirst) proxy.freeze();
      if (text === 'commit') isFirst = false;
      return run();
    });
    const exporter = createPostgresExporter({ pool: freezing });
    const [silent, later] = [exporter.exportObserved([query]), exporter.exportObserved([poll])];
    // Broken off by us, or by a server that had the same patience with its transaction.
    expect(await silent).toMatchObject({ kind: 'retryable' });
    proxy.thaw();
    expect(await later).toEqual({ kind: 'written' });
    expect(await exporter.exportObserved([query])).toEqual({ kind: 'written' });
    expect(await steps()).toHaveLength(2);
    await pool.end();
    await proxy.cut();
  });

  it('an abandoned call returns at once, and one that has not begun never begins', async () => {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const pool = interceptPool(database.pool, async (text, run) => {
      if (text === 'commit') await held;
      return run();
    });
    const exporter = createPostgresExporter({ pool });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [exporter.exportObserved([query], { signal }), exporter.exportObserved([poll], { signal })];
    controller.abort();
    expect(await Promise.all(calls)).toMatchObject([{ kind: 'retryable' }, { kind: 'retryable' }]);
    letGo();
    await exporter.forceFlush();
    expect(await exporter.exportObserved([poll], { signal })).toMatchObject({ kind: 'retryable' });
  });

  it('the connection of a failed batch returns to the pool', async () => {
    const pool = createDatabasePool(database.connectionString, { maxConnections: 1 });
    const exporter = createPostgresExporter({ pool });
    await exporter.exportObserved([{ ...poll, traceId: 'abc' }]);
    expect(await exporter.exportObserved([query])).toEqual({ kind: 'written' });
    expect([pool.idleCount, pool.waitingCount]).toEqual([1, 0]);
    await pool.end();
  });
});
