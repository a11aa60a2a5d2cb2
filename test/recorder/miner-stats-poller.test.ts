import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { readActiveMiners } from '#postgres/queries/read-active-miners';
import { readMinerStats } from '#postgres/queries/read-miner-stats';
import type { Committed } from '#postgres/write-batch';
import { differingSeries } from '#prometheus/compare-series';
import { QUIET_AFTER_MICROS } from '#prometheus/stale-miners';
import type { MinerStatsRead } from '#facts/miner-stats';
import { refreshMiners, startMinerStatsPoller } from '#recorder/miner-stats-poller';
import { METRICS } from '#semconv/metrics';
import { exporterFor, shown, valueOf } from '../exporters/prometheus/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endedSpan } from '../support/spans.ts';
import { emptyTables } from '../support/tables.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

const CALLS = METRICS.minerHostingSuccesses.name;
const DRIFT = METRICS.minerStatsDrift.name;

/** One of several processes on the same database: its rows, its metrics, and its commits not observed yet. */
class Recorder {
  readonly prometheus = exporterFor();
  readonly #unobserved: Committed[] = [];
  readonly #exporter = createPostgresExporter({
    pool: database.pool,
    onCommit: (committed) => this.#unobserved.push(committed),
  });
  readonly #name: string;
  #calls = 0;
  #read: MinerStatsRead | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** Commits a successful call to a miner, which the metrics see after `observe`. */
  async commit(uid: number): Promise<void> {
    this.#calls += 1;
    const span = endedSpan({
      step: 'communication',
      miner: { uid, hotkey: `5Miner${uid}` },
      at: this.#calls,
      instance: this.#name,
      attributes: { 'weather.response.transport': 'success' },
    });
    expect(await this.#exporter.exportObserved([span])).toEqual({ kind: 'written' });
  }

  observe(): void {
    for (const committed of this.#unobserved.splice(0)) this.prometheus.observe(committed);
  }

  /** Reads the table, which the metrics see after `applyRead`. */
  async read(): Promise<void> {
    this.#read = await readActiveMiners(database.pool, { quietMicros: QUIET_AFTER_MICROS });
  }

  applyRead(): void {
    if (this.#read !== null) this.prometheus.refresh(this.#read);
    this.#read = null;
  }

  refresh = (): Promise<void> => refreshMiners({ pool: database.pool, prometheus: this.prometheus });

  /** Calls that worked by series, and the drift if it is known. */
  async look() {
    const lines = await shown(this.prometheus, CALLS);
    const calls = new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), valueOf(line)]));
    return { calls, drift: (await shown(this.prometheus, DRIFT)).map(valueOf) };
  }
}

/** In what the metrics differ from those of a process that starts now. */
async function differencesOf({ prometheus }: Recorder) {
  const fresh = exporterFor();
  fresh.seed(await readMinerStats(database.pool));
  const [served, wanted] = await Promise.all([prometheus.render(undefined), fresh.render(undefined)]);
  return differingSeries(served.body, wanted.body);
}

describe('refreshMiners with two recorders of one database', () => {
  it('each recorder shows what the other committed once it has refreshed', async () => {
    const [first, second] = [new Recorder('first'), new Recorder('second')];
    await first.commit(1);
    await second.commit(1);
    await second.commit(2);
    for (const recorder of [first, second]) {
      recorder.observe();
      await recorder.refresh();
      expect([...(await recorder.look()).calls.values()].sort()).toEqual([1, 2]);
      expect((await recorder.look()).drift).toEqual([0]);
      expect(await differencesOf(recorder)).toEqual([]);
    }
  });

  it('a miner that was deleted from the table disappears from the metrics', async () => {
    const recorder = new Recorder('first');
    await recorder.commit(1);
    await recorder.commit(2);
    recorder.observe();
    await database.pool.query(`delete from miner_stats where miner_hotkey = '5Miner1'`);
    await recorder.refresh();
    expect((await recorder.look()).calls.size).toBe(1);
    await database.pool.query('delete from miner_stats');
    await recorder.refresh();
    expect(await recorder.look()).toEqual({ calls: new Map(), drift: [0] });
  });

  it('a wrong row shows as drift, and the next refresh repairs it', async () => {
    const recorder = new Recorder('first');
    await recorder.commit(1);
    await recorder.commit(2);
    const [row, other] = await readMinerStats(database.pool);
    if (row === undefined || other === undefined) throw new Error('Two miners were committed.');
    recorder.prometheus.seed([{ ...row, hostingSuccesses: 77 }, other]);
    await recorder.refresh();
    expect((await recorder.look()).drift).toEqual([1]);
    expect(await differencesOf(recorder)).toEqual([]);
    await recorder.refresh();
    expect((await recorder.look()).drift).toEqual([0]);
  });

  const operation = fc.record({
    recorder: fc.nat(1),
    kind: fc.constantFrom('commit', 'commit', 'commit', 'observe', 'observe', 'read', 'applyRead'),
    uid: fc.nat(2),
  });

  it('counters never drift nor decrease, and recorders converge, however commits and refreshes interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
        await emptyTables(database.pool);
        const recorders = [new Recorder('first'), new Recorder('second')] as const;
        for (const { recorder: index, kind, uid } of operations) {
          const recorder = recorders[index === 0 ? 0 : 1];
          const before = await recorder.look();
          if (kind === 'commit') await recorder.commit(uid);
          else if (kind === 'read') await recorder.read();
          else recorder[kind]();
          const after = await recorder.look();
          expect(after.drift.filter((rows) => rows !== 0)).toEqual([]);
          for (const [series, calls] of before.calls)
            expect(after.calls.get(series)).toBeGreaterThanOrEqual(calls);
        }
        for (const recorder of recorders) {
          recorder.observe();
          await recorder.refresh();
          expect(await differencesOf(recorder)).toEqual([]);
          expect((await recorder.look()).drift).toEqual([0]);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('startMinerStatsPoller', () => {
  it('commits of other processes are polled until the poller is closed', async () => {
    const [first, second] = [new Recorder('first'), new Recorder('second')];
    const problems: string[] = [];
    const close = startMinerStatsPoller({
      pool: database.pool,
      prometheus: first.prometheus,
      everyMillis: 1,
      onProblem: (message) => problems.push(message),
    });
    await second.commit(1);
    await expect.poll(async () => [...(await first.look()).calls.values()]).toEqual([1]);
    await second.commit(1);
    await expect.poll(async () => [...(await first.look()).calls.values()]).toEqual([2]);
    await close();
    await second.commit(1);
    expect([...(await first.look()).calls.values()]).toEqual([2]);
    expect(problems).toEqual([]);
  });

  it('the metrics keep their values while the database is away, and each outage is reported once', async () => {
    const recorder = new Recorder('first');
    await recorder.commit(1);
    recorder.observe();
    const problems: string[] = [];
    let isAway = true;
    let asked = 0;
    const query = async (text: string, values: readonly unknown[]) => {
      asked += 1;
      if (isAway) throw new Error('the database is away');
      return database.pool.query(text, [...values]);
    };
    const close = startMinerStatsPoller({
      pool: { query } as unknown as Pool,
      prometheus: recorder.prometheus,
      everyMillis: 1,
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => asked).toBeGreaterThan(3);
    expect(problems).toEqual([
      'The metrics of miners could not be refreshed: the database is away. They keep their last values until a retry succeeds.',
    ]);
    expect([...(await recorder.look()).calls.values()]).toEqual([1]);
    isAway = false;
    await expect.poll(async () => (await recorder.look()).drift).toEqual([0]);
    isAway = true;
    await expect.poll(() => problems.length).toBe(2);
    await close();
  });
});
