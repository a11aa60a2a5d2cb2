import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTransaction } from '#database/transaction';
import { insertLeads, loadLead, loadLeads, type LeadRow } from '#pipeline/control/lead-row';
import { countOpenLeads, countOpenMiners } from '#pipeline/control/locks';
import {
  insertMiners,
  isJobHeldByAnother,
  loadMiner,
  loadMinersIn,
  type MinerRow,
  recordAcceptance,
} from '#pipeline/control/miner-row';
import { moveLead, moveMiner, moveRun } from '#pipeline/control/moves';
import { insertRun, loadActiveRun, loadRun, reserveRunId, type RunRow } from '#pipeline/control/run-row';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { minerOf } from '../support/stub-miners.ts';
import { INIT_TIME } from '../support/tiny-world.ts';

const AT = new Date('2026-11-01T18:00:00Z');
const NEXT = new Date('2026-11-01T18:05:00Z');
let database: TestDatabase;
let runId: number;
let validator = 0;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  runId = await reserveRunId(database.pool);
  validator += 1;
  const run = {
    validatorHotkey: `validator-${validator}`,
    initTime: INIT_TIME,
    initiatedAt: AT,
    day1Lead: 12,
    era5Leads: [24, 48],
  };
  await insertRun(database.pool, { ...run, runId, rootTraceparent: '00-aa-bb-01' });
  await insertMiners(database.pool, runId, [minerOf(0), minerOf(1)]);
});

const found = <Row>(row: Row | null): Row => {
  if (row === null) throw new Error('no row');
  return row;
};
const run = async (): Promise<RunRow> => found(await loadRun(database.pool, runId));
const miner = async (uid = 0): Promise<MinerRow> => found(await loadMiner(database.pool, runId, uid));
const lead = async (): Promise<LeadRow> =>
  found(await loadLead(database.pool, { runId, minerUid: 0, scoreType: 'era5', leadHours: 24 }));

describe('control state of a run', () => {
  it('a run is read as it was written', async () => {
    expect(await run()).toMatchObject({
      runId,
      initTime: INIT_TIME,
      initiatedAt: AT,
      status: 'created',
      era5Leads: [24, 48],
      revision: 0,
      attempt: 1,
      rootTraceparent: '00-aa-bb-01',
    });
    expect(await loadRun(database.pool, 999_999)).toBeNull();
  });

  it('a run is the active one of its validator and cycle until it is over', async () => {
    const { validatorHotkey, initTime } = await run();
    expect((await loadActiveRun(database.pool, { validatorHotkey, initTime }))?.runId).toBe(runId);
    await database.pool.query(`update pipeline.runs set status = 'completed' where run_id = $1`, [runId]);
    expect(await loadActiveRun(database.pool, { validatorHotkey, initTime })).toBeNull();
  });

  it('a run moves once from each revision: the second writer gets false and changes nothing', async () => {
    const row = await run();
    expect(await moveRun(database.pool, row, { to: 'seeding', at: AT, nextAt: NEXT, attempt: 2 })).toBe(true);
    expect(await moveRun(database.pool, row, { to: 'seeding', at: AT, attempt: 9 })).toBe(false);
    expect(await run()).toMatchObject({ status: 'seeding', revision: 1, attempt: 2 });
  });

  it('a run that has ended keeps the time and the failure', async () => {
    await moveRun(database.pool, await run(), { to: 'seeding', at: AT });
    await moveRun(database.pool, await run(), {
      to: 'failed',
      at: NEXT,
      failure: { category: 'truth_not_ready', message: 'no GFS' },
    });
    const { rows } = await database.pool.query(
      'select finished_at, failure_message from pipeline.runs where run_id = $1',
      [runId],
    );
    expect(rows).toEqual([{ finished_at: NEXT, failure_message: 'no GFS' }]);
  });

  it('a transition that is not in the table is rejected before any query', async () => {
    const row = await run();
    await expect(moveRun(database.pool, row, { to: 'completed', at: AT })).rejects.toThrow('no transition');
  });
});

describe('control state of a miner', () => {
  it('miners are loaded by state, in the order of their UIDs', async () => {
    expect((await loadMinersIn(database.pool, runId, 'created')).map(({ uid }) => uid)).toEqual([0, 1]);
    await moveMiner(database.pool, await miner(), { to: 'seeded' });
    expect((await loadMinersIn(database.pool, runId, 'created')).map(({ uid }) => uid)).toEqual([1]);
  });

  it('a miner keeps attempt, due time and the span of the attempt before', async () => {
    await moveMiner(database.pool, await miner(), { to: 'seeded' });
    await moveMiner(database.pool, await miner(), {
      to: 'querying',
      attempt: 3,
      nextAt: NEXT,
      attemptTraceparent: '00-cc-dd-01',
    });
    expect(await miner()).toMatchObject({
      state: 'querying',
      attempt: 3,
      attemptTraceparent: '00-cc-dd-01',
      revision: 2,
    });
  });

  it('a miner cannot hold the job of another miner of the run', async () => {
    await recordAcceptance(database.pool, await miner(0), { jobId: 'job-1', acceptedAt: AT });
    const second = await miner(1);
    const attempt = recordAcceptance(database.pool, second, { jobId: 'job-1', acceptedAt: AT });
    await expect(attempt.catch((error: unknown) => isJobHeldByAnother(error))).resolves.toBe(true);
    expect(isJobHeldByAnother(new Error('something else'))).toBe(false);
  });
});

describe('control state of a lead', () => {
  beforeEach(async () => {
    await insertLeads(database.pool, { runId, minerUid: 0 }, { day1Lead: 12, era5Leads: [24, 48] });
  });

  it('the lead of day one is due first, and the ERA5 leads are pending behind it', async () => {
    expect(
      (await loadLeads(database.pool, runId, 0)).map(({ scoreType, leadHours, state }) => [
        scoreType,
        leadHours,
        state,
      ]),
    ).toEqual([
      ['day1', 12, 'due'],
      ['era5', 24, 'pending'],
      ['era5', 48, 'pending'],
    ]);
  });

  it('a score of 0 is stored as a score', async () => {
    await moveLead(database.pool, await lead(), { to: 'due' });
    await moveLead(database.pool, await lead(), { to: 'scored', score: 0 });
    expect(await lead()).toMatchObject({ state: 'scored', score: 0, failureCategory: null });
  });

  it('a lead moves once from each revision', async () => {
    const row = await lead();
    expect(await moveLead(database.pool, row, { to: 'due' })).toBe(true);
    expect(await moveLead(database.pool, row, { to: 'due' })).toBe(false);
  });
});

describe('countOpenLeads and countOpenMiners', () => {
  it('exactly one of two leads that end at the same time is the last', async () => {
    await insertLeads(database.pool, { runId, minerUid: 0 }, { day1Lead: 12, era5Leads: [24] });
    const end = (scoreType: string): Promise<number> =>
      new Promise((resolve, reject) => {
        inTransaction(database.pool, async (client) => {
          await client.query(
            `update pipeline.leads set state = 'scored' where run_id = $1 and score_type = $2`,
            [runId, scoreType],
          );
          resolve((await countOpenLeads(client, { runId, minerUid: 0 })).open);
        }).catch(reject);
      });
    expect((await Promise.all([end('day1'), end('era5')])).toSorted()).toEqual([0, 1]);
  });

  it('the open miners of a run are counted over all its miners', async () => {
    expect(await countOpenMiners(database.pool, runId)).toEqual({ open: 2, status: 'created' });
  });
});
