import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBatch } from '#postgres/log/batch';
import { createPostgresExporter } from '#postgres/exporter';
import { canonicalJson } from '#postgres/projections/canonical-json';
import type { ForecastFold } from '#postgres/projections/forecast-fold';
import { toForecastRow } from '#postgres/projections/forecast-row';
import { toRunEffect } from '#postgres/projections/run-effect';
import type { RunFold } from '#postgres/projections/run-fold';
import { fromDraft, countForecast, countStep, touchMiner, toDraft } from '#postgres/projections/miner-draft';
import { emptyMinerFold, type MinerFold } from '#postgres/projections/miner-fold';
import { maintainPartitions } from '#postgres/retention/retention';
import { minerKeyText, readArchivedFold } from '#postgres/retention/archived-folds';
import { readHistories, type MinerKey } from '#postgres/projections/tables/miner-history';
import type { ObservedSpan } from '#facts/observed-span';
import type { StepFact } from '#facts/step-fact';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan } from '#test/support/spans';
import { dumpTables } from '#test/support/tables';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const WEEK_NANOS = 604_800_000_000_000n;
const NOW = new Date('2027-01-15T12:00:00Z');

/** The same spans, spread over the weeks of a run: a span and its start move together. */
function spread(spans: readonly ObservedSpan[]): readonly ObservedSpan[] {
  return spans.map((span) => {
    const shift = BigInt(parseInt(span.spanId.slice(-1), 16) % 4) * WEEK_NANOS;
    const end = span.endTimeUnixNano;
    return {
      ...span,
      startTimeUnixNano: span.startTimeUnixNano + shift,
      endTimeUnixNano: end === null ? null : end + shift,
    };
  });
}

/** The ends of the runs, at an instant of their own: partitions of a run that has not ended stay. */
const ENDS = [1, 2].map((run) =>
  endedSpan({
    step: 'orchestration',
    miner: null,
    run,
    at: 70_000,
    attributes: { 'weather.run.status': 'completed' },
  }),
);

async function record(spans: readonly ObservedSpan[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
  expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
}

/** Drops steps that are older than so many weeks before now. */
const maintain = async (weeks: number): Promise<readonly string[]> =>
  (await maintainPartitions(database.pool, { now: NOW, retention: { weather_forecast_steps: weeks * 7 } }))
    .dropped;

async function foldsOfMiners(): Promise<readonly (readonly [key: MinerKey, fold: string])[]> {
  const { rows } = await database.pool.query<MinerKey & { fold: MinerFold }>(
    'select validator_id as "validatorId", miner_hotkey as "minerHotkey", fold from miner_stats order by 1, 2',
  );
  return rows.map(({ fold, ...key }) => [key, canonicalJson(fold)]);
}

/** Facts of the spans that still have a row in the log. */
async function factsOfLog(spans: readonly ObservedSpan[]): Promise<readonly StepFact[]> {
  const { rows } = await database.pool.query<{ span_id: string; status: string }>(
    'select span_id, status from weather_forecast_steps',
  );
  const phases = new Map(
    rows.map((row) => [row.span_id, row.status === 'in_progress' ? 'started' : 'ended'] as const),
  );
  const { ended, started } = await toBatch(spans);
  return [...ended, ...started].filter(({ spanId, phase }) => phases.get(spanId) === phase);
}

/** The inputs of a rebuild: archive, remaining log, all forecasts and their history. */
async function rebuild(
  miners: readonly MinerKey[],
  facts: readonly StepFact[],
): Promise<readonly (readonly [key: MinerKey, fold: string])[]> {
  const client = await database.pool.connect();
  const archived = await readArchivedFold(client, miners);
  const histories = await readHistories(client, miners);
  client.release();
  const { rows } = await database.pool.query<{ miner_hotkey: string; fold: ForecastFold; run: RunFold }>(
    `select miner_hotkey, forecast.fold, run.fold as run from weather_forecast_stats as forecast
     join weather_forecast_runs as run on (run.validator_id, run.id) = (forecast.validator_id, forecast.run_id)`,
  );
  return miners.map((key) => {
    const own = facts.filter(({ minerHotkey }) => minerHotkey === key.minerHotkey);
    const draft = toDraft(archived.get(minerKeyText(key)) ?? emptyMinerFold);
    for (const fact of own) {
      touchMiner(draft, fact);
      if (fact.phase === 'ended') countStep(draft, fact);
    }
    for (const { miner_hotkey: hotkey, fold, run } of rows)
      if (hotkey === key.minerHotkey) countForecast(draft, null, toForecastRow(fold, toRunEffect(run)));
    const whole = fromDraft(draft);
    return [key, canonicalJson({ ...whole, history: histories.get(minerKeyText(key)) ?? whole.history })];
  });
}

describe('archiveSteps', () => {
  it('archive and remaining log give the same miner_stats, whatever is dropped in how many passes', async () => {
    let rounds = 0;
    await fc.assert(
      fc.asyncProperty(recordedRun.map(spread), async (spans) => {
        if (rounds > 0) {
          await database.drop();
          database = await createTestDatabase();
        }
        rounds += 1;
        await record([...spans, ...ENDS]);
        const before = await foldsOfMiners();
        const { miner_stats: stats } = await dumpTables(database.pool);
        const miners = before.map(([key]) => key);
        for (const weeks of [6, 5, 2]) {
          await maintain(weeks);
          expect(await rebuild(miners, await factsOfLog(spans))).toEqual(before);
        }
        expect((await dumpTables(database.pool))['miner_stats']).toEqual(stats);
        expect((await database.pool.query('select from weather_forecast_steps_finished')).rows).toEqual([]);
      }),
      { numRuns: 12, seed: 20261127 },
    );
  });

  it('a miner without dropped steps has no archived fold', async () => {
    expect(await readArchivedFold(database.pool, [{ validatorId: 1, minerHotkey: '5Nobody' }])).toEqual(
      new Map(),
    );
    expect(await readArchivedFold(database.pool, [])).toEqual(new Map());
  });
});
