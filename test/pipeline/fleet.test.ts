import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet, type Profile } from '#fleet';
import { openGridStore } from '#grids';
import { createPipeline, type Pipeline, type RunProgress } from '#pipeline';
import { createMinerClient, type MinerClient } from '#pipeline/miners/index';
import { makeDemonstrationWorld, makeSimulatedForecast } from '#world';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { captureSpans, statusOf } from './support/captured-spans.ts';
import { INIT_TIME as initTime, VALIDATOR } from './support/tiny-world.ts';

const spans = captureSpans();
const PROFILES: readonly Profile[] = [
  'good',
  'slow',
  'flaky',
  'rejecting',
  'offline',
  'nan',
  'tampering',
  'failing',
];
const uidOf = (profile: Profile): number => PROFILES.indexOf(profile);

let directory: string;
let database: TestDatabase;
let fleet: Fleet;
let client: MinerClient;
let pipeline: Pipeline;
let progress: RunProgress;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'barograph-world-'));
  const world = await makeDemonstrationWorld({ initTime, seed: 3, directory });
  const [truth, climatology] = [await openGridStore(world.truth), await openGridStore(world.climatology)];
  database = await createTestDatabase();
  fleet = await startFleet({
    count: PROFILES.length,
    seed: 3,
    initTime,
    delayFactor: 1e-3,
    profiles: PROFILES,
    forecastFor: ({ quality, seed, profile }) =>
      makeSimulatedForecast({
        truth,
        climatology,
        initTime,
        leads: [12, 24, 48],
        quality,
        seed,
        zarrFormat: 2,
        corruption: profile === 'nan' ? 'nan' : 'none',
      }),
  });
  client = createMinerClient();
  pipeline = createPipeline({
    connectionString: database.connectionString,
    delayFactor: 1e-4,
    queuePollMillis: 20,
    minerClient: client,
    stores: {
      truth: () => openGridStore(world.truth),
      climatology: () => openGridStore(world.climatology),
      reference: () => openGridStore(world.reference),
      analysis: () => openGridStore(world.analysis),
    },
  });
  const runId = await pipeline.createRun({
    validatorHotkey: VALIDATOR,
    initTime,
    miners: fleet.miners,
    leads: [24, 48],
  });
  await pipeline.start();
  await pipeline.finished(runId);
  progress = await pipeline.progress(runId);
});
afterAll(async () => {
  await pipeline.stop();
  await fleet.close();
  await client.close();
  await database.drop();
  await rm(directory, { recursive: true });
});

const ends = async (): Promise<Record<string, unknown>> => {
  const { rows } = await database.pool.query<{
    uid: number;
    state: string;
    step: string | null;
    category: string | null;
  }>(
    'select miner_uid as uid, state, failed_step as step, failure_category as category from pipeline.run_miners',
  );
  return Object.fromEntries(
    rows.map(({ uid, state, step, category }) => [PROFILES[uid] ?? uid, [state, step, category]]),
  );
};

describe('pipeline with a simulated fleet over HTTP', () => {
  it('a run ends with every miner in the state that its profile leads to', async () => {
    expect(progress).toMatchObject({ status: 'completed', jobs: 0, withoutJob: [] });
    expect(await ends()).toEqual({
      good: ['completed', null, null],
      slow: ['completed', null, null],
      flaky: ['completed', null, null],
      rejecting: ['failed', 'query', 'rejected_identity'],
      offline: ['failed', 'query', 'connection'],
      nan: ['failed', 'era5', 'data_coverage'],
      tampering: ['failed', 'verify', 'verification_chunk'],
      failing: ['failed', 'poll', 'miner_inference'],
    });
  });

  it('every call to a miner is a communication step below the step that called', () => {
    const steps = new Map(
      spans.of().map((span) => [span.spanContext().spanId, span.attributes['weather.step.name']]),
    );
    const callers = new Set(
      spans.of('communication').map((span) => {
        const caller = steps.get(span.parentSpanContext?.spanId ?? '');
        return `${String(caller)} ${String(span.attributes['weather.step.substep'])}`;
      }),
    );
    expect([...callers].toSorted()).toEqual([
      'day1 kerchunk_request',
      'era5 kerchunk_request',
      'poll poll_job_status',
      'query initiate_fetch',
      'verify forecast_file',
      'verify kerchunk_request',
    ]);
  });

  it('a rejection is recorded as a successful call and a failed query', () => {
    const [call] = spans
      .of('communication')
      .filter(({ attributes }) => attributes['weather.miner.uid'] === uidOf('rejecting'));
    expect(call?.attributes).toMatchObject({
      'weather.response.transport': 'success',
      'weather.step.status': 'succeeded',
    });
    const [query] = spans
      .of('query')
      .filter(({ attributes }) => attributes['weather.miner.uid'] === uidOf('rejecting'));
    expect(statusOf(query)).toBe('failed');
  });

  it('a new token is requested for every reading of a forecast', () => {
    const { token } = { token: spans.of('communication', 'kerchunk_request').length };
    const read = ['verify', 'day1', 'era5']
      .flatMap((name) => spans.of(name))
      .filter((span) => statusOf(span) !== 'waiting_for_truth');
    expect(token).toBeGreaterThanOrEqual(read.length);
  });

  it('no span holds the address of a miner or a token', () => {
    const everything = JSON.stringify(
      spans.of().map(({ attributes, events, status }) => [attributes, events, status]),
    );
    expect(everything).not.toMatch(/127\.0\.0\.1|Bearer |eyJ/);
  });
});
