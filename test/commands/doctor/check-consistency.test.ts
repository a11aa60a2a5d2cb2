import { expect, it } from 'vitest';
import { checkConsistency, checkEmitters } from '#commands/doctor/check-consistency';
import { createPostgresExporter } from '#postgres/exporter';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { emptyTables } from '#test/support/tables';
import { accountOf } from '#test/support/accounts';
import { endedSpan } from '#test/support/spans';

const database = useTestDatabase();

it('a row of an ended run that is still open is named with the remedy', async () => {
  const run = endedSpan({
    step: 'orchestration',
    miner: null,
    at: 1000,
    attributes: { 'weather.run.status': 'failed' },
  });
  await writeBatches(database.pool, [[endedSpan({ step: 'query' }), run]]);
  expect(await checkConsistency(database.pool)).toEqual({
    ok: true,
    found: 'no row of an ended run says that something is still to come',
  });
  await database.pool.query(`update weather_forecast_stats set forecast_status = 'seeded'`);
  const { ok, found } = await checkConsistency(database.pool);
  expect(ok).toBe(false);
  expect(found).toBe(
    '1 inconsistent: weather_forecast_stats of run 1 of validator 1, miner 5MinerSeven: open_in_ended_run ' +
      '(forecast_status seeded); `barograph rebuild` derives rows again from the log, ' +
      '`barograph sweep` closes steps of dead processes',
  );
});

it('processes that share an id are named with what is wrong and the remedy', async () => {
  expect(await checkEmitters(database.pool)).toEqual({
    ok: true,
    found: 'each numbers its records by itself, and none is missing',
  });
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const epoch of ['first', 'second'])
    await exporter.exportObserved([], { account: accountOf({ instanceId: 'worker-0', epoch }) });
  expect(await checkEmitters(database.pool)).toEqual({
    ok: false,
    found:
      'the books of 1 prove nothing: worker-0 of validator 1: 2 processes use this id; give each process a ' +
      'service.instance.id of its own, which no other and no later one has',
  });
});

it('a loss of the last week is named: records that never came, and a process that went without a last word', async () => {
  await emptyTables(database.pool);
  const exporter = createPostgresExporter({ pool: database.pool });
  const report = (instanceId: string, received: readonly (readonly [number, number])[]): Promise<unknown> =>
    exporter.exportObserved([], {
      account: accountOf({ instanceId, lastSequence: 2, deliveredSequence: 2, received }),
    });
  await report('at-work', [[1, 2]]);
  expect(await checkEmitters(database.pool)).toMatchObject({ ok: true });
  await report('lossy', [[2, 2]]);
  await report('gone', [[1, 2]]);
  await report('long-gone', [[2, 2]]);
  const silence = `update emitters set heartbeat_at = now() - $2 * interval '1 hour', last_seen = null where instance_id = $1`;
  await database.pool.query(silence, ['gone', 1]);
  await database.pool.query(silence, ['long-gone', 24 * 8]);
  const { ok, found } = await checkEmitters(database.pool);
  expect(ok).toBe(false);
  expect(found).toMatch(
    /^the books of 2 show a loss: lossy of validator 1: the records \{\[1,2\)\} are missing; gone of validator 1: its books are open, and it is silent since /,
  );
  expect(found).toContain('barograph spools list');
});
