import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBatch } from '#postgres/log/batch';
import type { RecordedFact } from '#postgres/log/recorded-fact';
import { readFacts, readRunningFacts, type LogSelection } from '#postgres/log/read-log';
import type { ObservedSpan } from '#facts/observed-span';
import type { StepFact } from '#facts/step-fact';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { recordedRun } from '#test/support/recorded-run';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase();

const VALIDATOR = { validatorId: 1, validatorHotkey: '5Validator' };
const ALL: LogSelection = { ...VALIDATOR, runId: null, minersOfRun: [] };

async function write(spans: readonly ObservedSpan[]): Promise<void> {
  await emptyTables(database.pool);
  await writeBatches(database.pool, [spans]);
}

async function portionsOf(selection: LogSelection): Promise<readonly (readonly RecordedFact[])[]> {
  const client = await database.pool.connect();
  const portions: (readonly RecordedFact[])[] = [];
  try {
    await client.query('begin');
    for await (const portion of readFacts(client, selection)) portions.push(portion);
    return portions;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const read = async (selection: LogSelection): Promise<readonly StepFact[]> =>
  (await portionsOf(selection)).flat().map(({ fact }) => fact);

/** The log's facts of these spans: the end of each, or its start while it runs. */
async function logged(spans: readonly ObservedSpan[]): Promise<StepFact[]> {
  const { ended, started } = await toBatch(spans);
  return [...ended, ...started].map((fact) => ({ ...fact, componentScores: [] }));
}

const bySpan = (facts: readonly StepFact[]): readonly StepFact[] =>
  [...facts].sort((a, b) => (a.spanId < b.spanId ? -1 : 1));

describe('readFacts', () => {
  it('facts read equal those written, except for their component scores', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun, async (spans) => {
        await write(spans);
        expect(bySpan(await read(ALL))).toStrictEqual(bySpan(await logged(spans)));
      }),
      { numRuns: 60, seed: 20261201 },
    );
  });

  it('facts of whole runs with every kind of step, error and decision are read back equal', async () => {
    const spans = RECORDED_RUNS;
    await write(spans);
    expect(bySpan(await read(ALL))).toStrictEqual(bySpan(await logged(spans)));
  });

  it('values are read back to the last digit of JSON and microseconds', async () => {
    const span = endedSpan({
      step: 'poll',
      at: 0.0019,
      durationMs: 0.000001,
      attributes: {
        'weather.step.context': '{"b":1e-320,"a":[0.1,1e308,"ä\\u0000"],"__proto__":{"c":null}}',
        'weather.step.queue_job_id': Number.MAX_SAFE_INTEGER,
        'weather.retry.next_time': '2026-11-23T18:00:00.123456Z',
        'weather.stage': 'inference_running_45%',
        'weather.score.era5': NaN,
        'weather.unheard_of': 1,
      },
    });
    await write([span]);
    expect(await read(ALL)).toStrictEqual(await logged([span]));
  });

  it('facts of a run are read with those of its miners in other runs', async () => {
    const [first, second] = [7, 8].map((uid) => ({ uid, hotkey: `5Miner${uid}` }));
    if (!first || !second) throw new Error('two miners');
    await write([
      endedSpan({ step: 'query', run: 1, miner: first }),
      endedSpan({ step: 'query', run: 2, miner: first }),
      endedSpan({ step: 'query', run: 2, miner: second }),
      endedSpan({ step: 'query', run: 1, miner: first, validator: '6Other' }),
    ]);
    const places = async (selection: LogSelection) =>
      (await read(selection)).map(({ runId, minerHotkey }) => `${runId} ${minerHotkey ?? ''}`);
    const ofRun = { ...VALIDATOR, runId: 1 };
    expect(await places({ ...ofRun, minersOfRun: [] })).toEqual(['1 5Miner7']);
    expect(await places({ ...ofRun, minersOfRun: ['5Miner7'] })).toEqual(['1 5Miner7', '2 5Miner7']);
  });

  it('portions end on a boundary between miners', async () => {
    const perMiner = 3000 / 8;
    const spans = [1, 2].flatMap((run) =>
      Array.from({ length: 3000 }, (_, index) =>
        endedSpan({
          step: 'communication',
          run,
          at: index,
          miner: { uid: index % 8, hotkey: `5Miner${index % 8}` },
        }),
      ),
    );
    await write(spans);
    const portions = await portionsOf(ALL);
    expect(portions.length).toBeGreaterThan(2);
    const places = portions.map(
      (portion) =>
        new Set(portion.map(({ fact: { runId, minerHotkey } }) => `${runId} ${minerHotkey ?? ''}`)),
    );
    expect(places.reduce((sum, { size }) => sum + size, 0)).toBe(16);
    expect(portions.map(({ length }) => length % perMiner)).toEqual(portions.map(() => 0));
    expect(portions.flat()).toHaveLength(6000);
  });

  it('portions stay bounded when one miner has more rows than one portion', async () => {
    const spans = Array.from({ length: 4500 }, (_, at) => endedSpan({ step: 'communication', at }));
    await write(spans);
    const sizes = (await portionsOf(ALL)).map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(4500);
  });

  it('the error for an unreadable row names its span', async () => {
    const span = endedSpan({ step: 'query' });
    await write([span]);
    await database.pool.query(`update weather_forecast_steps set substep = 'telepathy'`);
    await expect(read(ALL)).rejects.toThrow(`span ${span.spanId} has the substep "telepathy"`);
  });

  it('readRunningFacts returns the running steps of one process', async () => {
    const spans = ['instance-1', 'instance-2'].map((instance) => endedSpan({ step: 'query', instance }));
    await write([...spans.map(startOfSpan), endedSpan({ step: 'poll' })]);
    const client = await database.pool.connect();
    const running = await readRunningFacts(client, VALIDATOR, 'instance-2');
    client.release();
    expect(running).toStrictEqual(await logged(spans.slice(1).map(startOfSpan)));
  });
});
