import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { readActiveMiners } from '#postgres/queries/read-active-miners';
import { readMinerStats } from '#postgres/queries/read-miner-stats';
import type { CommittedMinerStats } from '#facts/miner-stats';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan } from '#test/support/spans';

let database: TestDatabase;
let committed: readonly CommittedMinerStats[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const HOUR_MICROS = 3_600_000_000;
const read = (quietHours: number) =>
  readActiveMiners(database.pool, { quietMicros: quietHours * HOUR_MICROS });
const hotkeys = (rows: readonly CommittedMinerStats[]) => rows.map(({ minerHotkey }) => minerHotkey).sort();
async function record(hotkey: string, hours: number, validator = '5Validator'): Promise<void> {
  const exporter = createPostgresExporter({
    pool: database.pool,
    onCommit: ({ minerStats }) => (committed = minerStats),
  });
  const miner = { uid: 7, hotkey };
  const span = endedSpan({ step: 'query', miner, validator, at: hours * 3_600_000, durationMs: 0 });
  expect(await exporter.exportObserved([span])).toEqual({ kind: 'written' });
}

describe('readActiveMiners', () => {
  it('an empty table has no active miners but a snapshot', async () => {
    const { rows, hasSeen } = await read(1);
    expect(rows).toEqual([]);
    expect(hasSeen('3(0,1)')).toBe(true);
  });

  it('the rows equal those that onCommit received, row version included', async () => {
    await record('5Old', 0);
    expect((await read(1)).rows).toEqual(committed);
    expect(committed).toEqual(await readMinerStats(database.pool));
    expect(committed[0]?.rowVersion).toMatch(/^\d+\(\d+,\d+\)$/);
  });

  it('active miners changed within the period before the newest row of their validator', async () => {
    await record('5New', 5);
    await record('5Other', 0, '5Another');
    expect(hotkeys((await read(5)).rows)).toEqual(['5New', '5Old', '5Other']);
    expect(hotkeys((await read(4.999)).rows)).toEqual(['5New', '5Other']);
  });

  it('a change gives a new row version that only a later snapshot has seen', async () => {
    const before = await read(5);
    await record('5New', 5.5);
    const after = await read(6);
    const version = after.rows.find(({ minerHotkey }) => minerHotkey === '5New')?.rowVersion ?? '';
    expect(before.rows.map(({ rowVersion }) => rowVersion)).not.toContain(version);
    expect([before.hasSeen(version), after.hasSeen(version)]).toEqual([false, true]);
  });

  it('a snapshot has not seen rows that were uncommitted at its time', async () => {
    const client = await database.pool.connect();
    await client.query(`begin`);
    await client.query(`update miner_stats set failed_forecasts = 8 where miner_hotkey = '5Old'`);
    const { rows } = await client.query<{ version: string }>(
      `select xmin::text || ctid::text as version from miner_stats where miner_hotkey = '5Old'`,
    );
    const during = await read(6);
    await client.query('commit');
    client.release();
    const after = await read(6);
    expect([during, after].map(({ hasSeen }) => hasSeen(rows[0]?.version ?? ''))).toEqual([false, true]);
  });
});
