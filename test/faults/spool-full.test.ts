import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { openBreakableProxy, type BreakableProxy } from '../end-to-end/support/breakable-proxy.ts';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import { createWork } from './support/recorded-work.ts';

/** Rounds of work while the database is away: many more than a mebibyte of records. */
const ROUNDS = wholeNumberOf('BAROGRAPH_FAULT_FULL_ROUNDS', 2000);

let database: TestDatabase;
let proxy: BreakableProxy;
let recording: Recording;
let rounds = 0;
const problems: string[] = [];
const { doOnce } = createWork({ seed: FAULT_SEED, stepMillis: 0.5, acknowledge: () => undefined });

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await openBreakableProxy(database.connectionString);
  recording = await startRecording({
    config: readConfig({
      DATABASE_URL: proxy.url,
      BAROGRAPH_DATA_DIR: join(testDataDirectory(), 'spool-full'),
      BAROGRAPH_METRICS_PORT: '0',
      BAROGRAPH_SPOOL_LIMIT_MIB: '1',
    }),
    validatorHotkey: '5Validator',
    onProblem: (message) => problems.push(message),
  });
});
afterAll(async () => {
  await proxy.cut();
  await database.drop();
});

async function work(count: number): Promise<void> {
  rounds += count;
  let left = count;
  const workOn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await doOnce();
    }
  };
  await Promise.all(Array.from({ length: 16 }, workOn));
}

interface Completeness {
  readonly started: number;
  readonly recorded: number;
  readonly dropped: number;
  readonly dropped_by_reason: Readonly<Record<string, number>>;
  readonly unaccounted: number;
  readonly missing_sequences: unknown;
  readonly emitter_conflicts: unknown;
}

const completeness = async (): Promise<readonly Completeness[]> =>
  (await database.pool.query<Completeness>('select * from run_completeness order by run_id')).rows;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('a full spool', () => {
  it('every step continues when the spool is full, and records without room are dropped', async () => {
    await work(100);
    await recording.flush();
    await proxy.cut();
    await work(ROUNDS);
    expect(recording.counters().dropped.spool_full).toBeGreaterThan(0);
  });

  it('the kept records are delivered when the database is back, and recording continues', async () => {
    await proxy.mend();
    await recording.flush();
    await work(100);
    await recording.flush();
    await recording.close();
    expect(recording.remainder()).toMatchObject({ records: 0, openSteps: 0 });
  });

  it('the books add up exactly: every step is recorded, or dropped with its reason', async () => {
    const runs = await completeness();
    expect(sum(runs.map(({ started }) => started))).toBe(2 * rounds);
    for (const run of runs) {
      expect(run).toMatchObject({
        unaccounted: 0,
        in_flight: 0,
        spooled: 0,
        dead: 0,
        missing_sequences: null,
        emitter_conflicts: null,
      });
      expect(run.started).toBe(run.recorded + run.dropped);
      expect(run.dropped).toBe(sum(Object.values(run.dropped_by_reason)));
    }
    const { rows } = await database.pool.query<{ n: number }>(
      `select count(*)::int as n from weather_forecast_steps where facts ->> 'closing' is distinct from 'spool_full'`,
    );
    expect(sum(runs.map(({ recorded }) => recorded))).toBe(rows[0]?.n);
    console.info(
      `Seed ${FAULT_SEED}: ${2 * rounds} steps, recorded ${sum(runs.map(({ recorded }) => recorded))}, ` +
        `dropped ${sum(runs.map(({ dropped }) => dropped))} (spool full), unaccounted 0.`,
    );
  });

  it('every dropped record is known by its sequence number', async () => {
    const { rows } = await database.pool.query<{ missing: string; dropped: string; total: number }>(
      `select missing::text, dropped::text, (select sum(upper(part) - lower(part))::int
         from unnest(dropped) as part) as total from emitter_books`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.missing).toBe('{}');
    expect(rows[0]?.total).toBe(recording.counters().dropped.spool_full);
  });
});
