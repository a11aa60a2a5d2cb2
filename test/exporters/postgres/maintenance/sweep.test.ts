import { describe, expect, it } from 'vitest';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import {
  findSilentEmitters,
  requireEmitter,
  sweepEmitter,
  type SweepRequest,
} from '#postgres/maintenance/sweep';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan, type SpanOptions } from '#test/support/spans';
import { dumpTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

/** The test server may have just started, so its uptime never reaches a limit of this length. */
const SHORTEST = 1;
const silent = (more: Partial<SweepRequest> = {}): SweepRequest => ({
  olderThanMillis: SHORTEST,
  instanceId: null,
  validatorHotkey: null,
  ...more,
});

const write = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);

const query = (options: Partial<SpanOptions> = {}): ObservedSpan => endedSpan({ step: 'query', ...options });
const rows = (sql: string) => queryRows(database.pool, sql);
const running = () => rows('select instance_id from weather_forecast_steps_running order by 1');
const heartbeat = (instance: string, ago: string) =>
  database.pool.query(`update emitters set heartbeat_at = now() - $2::interval where instance_id = $1`, [
    instance,
    ago,
  ]);

async function sweep(request: SweepRequest): Promise<readonly (number | null)[]> {
  const closed: (number | null)[] = [];
  for (const emitter of await findSilentEmitters(database.pool, request))
    closed.push(await inTransaction(database.pool, (client) => sweepEmitter(client, emitter, request)));
  return closed;
}

describe('sweepEmitter', () => {
  it('the running steps of a silent process become abandoned, with row, stage and error', async () => {
    await write(startOfSpan(query({ maxAttempts: 4, attempt: 2 })));
    await heartbeat('instance-1', '1 hour');
    expect(await sweep(silent())).toEqual([1]);
    expect(await running()).toEqual([]);
    const [{ heard } = { heard: null }] = await rows('select heartbeat_at as heard from emitters');
    expect(
      await rows(
        `select status, error_type, facts ->> 'closing' as closing, completed_at, latency_ms, retries_remaining
         from weather_forecast_steps`,
      ),
    ).toEqual([
      {
        status: 'abandoned',
        error_type: 'process_crash',
        closing: 'heartbeat_lost',
        completed_at: heard,
        latency_ms: null,
        retries_remaining: 2,
      },
    ]);
    expect(
      await rows(
        'select current_forecast_stage, current_forecast_status, last_error_message from weather_forecast_stats',
      ),
    ).toEqual([
      {
        current_forecast_stage: 'inference_requested',
        current_forecast_status: 'error',
        last_error_message: 'nothing was heard of the process any more while the step ran',
      },
    ]);
    expect(await rows('select common_errors from miner_stats')).toEqual([
      { common_errors: { process_crash: 1 } },
    ]);
  });

  it('the rows after a sweep equal those of a rebuild', async () => {
    await write(startOfSpan(query()), endedSpan({ step: 'poll' }), startOfSpan(query({ run: 2 })));
    await heartbeat('instance-1', '1 hour');
    expect(await sweep(silent())).toEqual([2]);
    const swept = await dumpTables(database.pool);
    await inTransaction(database.pool, (client) =>
      rebuildFolds(client, { validatorHotkey: null, runId: null }),
    );
    expect(await dumpTables(database.pool)).toEqual(swept);
  });

  it('the steps of a live process and ended steps stay as they are', async () => {
    await write(
      startOfSpan(query()),
      startOfSpan(query({ instance: 'instance-2' })),
      query({ instance: 'instance-3' }),
    );
    await heartbeat('instance-1', '1 hour');
    await heartbeat('instance-2', '-1 second');
    await heartbeat('instance-3', '1 hour');
    expect(await sweep(silent())).toEqual([1]);
    expect(await running()).toEqual([{ instance_id: 'instance-2' }]);
  });

  it('the same instance id of another validator with heartbeats is not swept', async () => {
    await write(startOfSpan(query()), startOfSpan(query({ validator: '5Other' })));
    await heartbeat('instance-1', '1 hour');
    await database.pool.query(
      `update emitters set heartbeat_at = now() + interval '1 second'
       where validator_id = (select id from validators where hotkey = '5Other')`,
    );
    expect(await sweep(silent())).toEqual([1]);
    expect(
      await rows('select validator_hotkey as hotkey from miner_stats where common_errors <> $${}$$'),
    ).toEqual([{ hotkey: '5Validator' }]);
  });

  it('no process is swept while the database has been up for less than the limit', async () => {
    await write(startOfSpan(query()));
    await heartbeat('instance-1', '1000 days');
    expect(await sweep(silent({ olderThanMillis: 900 * 86_400_000 }))).toEqual([]);
    expect(await running()).toHaveLength(1);
  });

  it('a process without heartbeats is swept only by name', async () => {
    await write(startOfSpan(query()), startOfSpan(query({ instance: 'instance-2' })));
    expect(await sweep(silent())).toEqual([]);
    await database.pool.query(`update emitters set last_seen = '2026-01-01'`);
    expect(await sweep(silent({ instanceId: 'instance-2' }))).toEqual([1]);
    expect(await running()).toEqual([{ instance_id: 'instance-1' }]);
  });

  it('a named process with heartbeats is judged by them', async () => {
    await write(startOfSpan(query()));
    await database.pool.query(`update emitters set last_seen = '2026-01-01'`);
    await heartbeat('instance-1', '-1 second');
    expect(await sweep(silent({ instanceId: 'instance-1' }))).toEqual([]);
  });

  it('a process with a heartbeat after it was found is not swept', async () => {
    await write(startOfSpan(query()));
    await heartbeat('instance-1', '1 hour');
    const [emitter] = await findSilentEmitters(database.pool, silent());
    if (emitter === undefined) throw new Error('it is silent');
    await heartbeat('instance-1', '-1 second');
    const before = await dumpTables(database.pool);
    const closed = await inTransaction(database.pool, (client) => sweepEmitter(client, emitter, silent()));
    expect(closed).toBeNull();
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('a heartbeat waits until the closings are committed', async () => {
    await write(startOfSpan(query()));
    await heartbeat('instance-1', '1 hour');
    const order: string[] = [];
    const [emitter] = await findSilentEmitters(database.pool, silent());
    if (emitter === undefined) throw new Error('it is silent');
    const beat = await inTransaction(database.pool, async (client) => {
      await sweepEmitter(client, emitter, silent());
      const heartbeatWritten = heartbeat('instance-1', '0').then(() => order.push('heartbeat'));
      await expect
        .poll(() =>
          rows(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          ),
        )
        .toHaveLength(1);
      order.push('closed');
      return { heartbeatWritten };
    });
    await beat.heartbeatWritten;
    expect(order).toEqual(['closed', 'heartbeat']);
  });

  it('steps started since the search are closed and steps ended since are not', async () => {
    const [first, second] = [query(), query({ run: 2 })];
    await write(startOfSpan(first));
    await heartbeat('instance-1', '1 hour');
    const [emitter] = await findSilentEmitters(database.pool, silent());
    if (emitter === undefined) throw new Error('it is silent');
    await write(first, startOfSpan(second));
    await inTransaction(database.pool, (client) => sweepEmitter(client, emitter, silent()));
    expect(await rows('select run_id, status from weather_forecast_steps order by run_id')).toEqual([
      { run_id: 1, status: 'succeeded' },
      { run_id: 2, status: 'abandoned' },
    ]);
  });
});

describe('findSilentEmitters', () => {
  it('of two validators that have a process of one id, the named one has its own found', async () => {
    const validators = ['5Valiant', '5Validator'];
    await write(...validators.map((validator) => startOfSpan(query({ validator }))));
    await heartbeat('instance-1', '1 hour');
    const hotkeysFor = async (validatorHotkey: string | null) => {
      const found = await findSilentEmitters(database.pool, silent({ validatorHotkey }));
      return found.map((emitter) => emitter.validatorHotkey);
    };
    expect(await hotkeysFor('5Valiant')).toEqual(['5Valiant']);
    expect(await hotkeysFor(null)).toEqual(validators);
  });
});

describe('requireEmitter', () => {
  const nobody = { instanceId: 'nobody', validatorHotkey: null };

  it('an unknown process throws with the newest known ones', async () => {
    await expect(requireEmitter(database.pool, nobody)).rejects.toThrow(
      'No process nobody is known. None is.',
    );
    await write(query());
    await expect(requireEmitter(database.pool, nobody)).rejects.toMatchObject({
      category: 'not_found',
      message:
        'No process nobody is known. The newest that are: instance-1 of 5Validator (2026-11-23T18:00:00.100000Z).',
    });
    const ofValidator = (validatorHotkey: string) =>
      requireEmitter(database.pool, { instanceId: 'instance-1', validatorHotkey });
    await ofValidator('5Validator');
    await expect(ofValidator('5Valiant')).rejects.toThrow(
      'No process instance-1 of validator 5Valiant is known. None is.',
    );
  });
});
