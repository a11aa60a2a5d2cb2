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
  await emptyTables(database.pool);
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

it('senders of the last week that do not number their spans are named, since what they lost is unknown', async () => {
  await emptyTables(database.pool);
  const numbered = { ...endedSpan({ step: 'query', instance: 'python-1' }) };
  await writeBatches(database.pool, [
    [
      { ...numbered, attributes: { ...numbered.attributes, 'weather.emitter.sequence': 1 } },
      endedSpan({ step: 'poll', instance: 'java-1' }),
      endedSpan({ step: 'verify', instance: 'java-0' }),
    ],
  ]);
  await database.pool.query(
    `update emitters set last_seen = now() - interval '1 day' * case instance_id when 'java-0' then 8 else 1 end`,
  );
  expect(await checkEmitters(database.pool)).toEqual({
    ok: true,
    found:
      'none is missing of those that number their records; 1 of the last 7 days do not (java-1 of validator 1), and what ' +
      'they lost before the recorder is unknown: set weather.emitter.sequence at the sender',
  });
});
