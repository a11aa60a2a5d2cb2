import { describe, expect, it } from 'vitest';
import { startFleet } from '#fleet';
import { createMinerClient, type Miner } from '#pipeline/miners/index';
import { toObservedSpan } from '#processor/observed-span';
import { queryRows, writeBatches } from '#test/exporters/postgres/support/database';
import { json, startScriptedMiner } from './miners/scripted-miner.ts';
import { useFreshBench } from './support/fresh-bench.ts';
import { tinyStores } from './support/pipeline-bench.ts';
import { stubMiners } from './support/stub-miners.ts';
import { INIT_TIME } from './support/tiny-world.ts';

const { spans, bench } = useFreshBench();

interface ErrorRow {
  readonly step: string;
  readonly error: Readonly<Record<string, unknown>>;
}

/** Runs one miner over real HTTP, records the spans of the run, and gives the errors of its last attempt. */
async function recordedErrorsOf(miner: Miner): Promise<readonly ErrorRow[]> {
  const client = createMinerClient();
  const stub = { ...stubMiners([{ files: new Map() }]), miners: [miner], client };
  const pipeline = bench.open(stub, await tinyStores());
  await bench.run(pipeline, stub);
  await pipeline.stop();
  await client.close();
  const { pool } = bench.database;
  await writeBatches(pool, [spans.of().map((span) => toObservedSpan(span, 'ended'))]);
  return queryRows<ErrorRow>(
    pool,
    `select step_name as step, error_json as error from weather_forecast_steps
     where error_type is not null order by started_at desc, step_name limit 2`,
  );
}

describe('the recorded error of a failed call', () => {
  it('an offline miner leaves the code of the refused connection and its cause at the call and at the query', async () => {
    const forecastFor = () => Promise.reject(new Error('nobody can ask for a forecast'));
    const fleet = await startFleet({
      count: 1,
      seed: 3,
      initTime: INIT_TIME,
      delayFactor: 1e-3,
      profiles: ['offline'],
      forecastFor,
    });
    const [miner] = fleet.miners;
    if (miner === undefined) throw new Error('the fleet has no miner');
    const errors = await recordedErrorsOf(miner);
    await fleet.close();

    expect(errors.map(({ step }) => step).toSorted()).toEqual(['communication', 'query']);
    for (const { error } of errors) {
      expect(error).toMatchObject({
        type: 'connection',
        class: 'MinerCallError',
        code: 'ECONNREFUSED',
        causes: [{ type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED [REDACTED]' }],
        http_status: null,
      });
    }
  });

  it('a miner that answers 503 leaves that status at the call and at the query', async () => {
    await using scripted = await startScriptedMiner(json({ detail: 'busy' }, 503));
    const errors = await recordedErrorsOf(scripted.miner);
    expect(errors.map(({ step }) => step).toSorted()).toEqual(['communication', 'query']);
    for (const { error } of errors) expect(error).toMatchObject({ type: 'http_5xx', http_status: 503 });
  });
});
