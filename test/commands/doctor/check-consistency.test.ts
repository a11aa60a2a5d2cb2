import { expect, it } from 'vitest';
import { checkConsistency, checkEmitters } from '#commands/doctor/check-consistency';
import { createPostgresExporter } from '#postgres/exporter';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
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
    found: 'each numbers its records by itself',
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
