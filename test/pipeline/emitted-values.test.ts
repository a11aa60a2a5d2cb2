import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMinerClient } from '#pipeline/miners/index';
import {
  CategorizedError,
  DECISIONS,
  ERROR_CATEGORIES,
  FORECAST_STATUSES,
  HOSTING_STATUSES,
  LOG_LEVELS,
  RESPONSE_STATUSES,
  RUN_STATUSES,
  SCORE_TYPES,
  STAGE_STATUSES,
  STAGES,
  STEP_NAMES,
  STEP_STATUSES,
  SUBSTEPS,
  toStage,
  TRANSPORT_OUTCOMES,
} from '#semconv';
import { UNEMITTED_VALUES } from '#semconv/unemitted-values';
import { captureSpans } from './support/captured-spans.ts';
import {
  ALL_LEADS,
  goodForecast,
  openBench,
  runRequest,
  tinyStores,
  type PipelineBench,
} from './support/pipeline-bench.ts';
import { minerOf, stubMiners, type MinerScript } from './support/stub-miners.ts';
import { tinyFiles } from './support/tiny-world.ts';
import { ACCESS, json, startScriptedMiner } from './miners/scripted-miner.ts';

/** Categories that these runs do not bring forth, and the test of what does. */
const CATEGORIES_ELSEWHERE: Readonly<Record<string, string>> = {
  handshake: 'pipeline/miners/transport-failure.test.ts',
  http_4xx: 'pipeline/miners/client.test.ts',
  http_5xx: 'pipeline/miners/client.test.ts',
  invalid_response: 'pipeline/miners/client.test.ts',
  verification_manifest: 'pipeline/miners/manifest.test.ts',
  verification_hash_changed: 'pipeline/failures.test.ts',
  verification_freeze_window: 'pipeline/failures.test.ts',
  data_missing_variable: 'pipeline/failures.test.ts',
  data_extreme: 'scoring/era5-gates.test.ts',
  truth_not_ready: 'pipeline/waiting.test.ts',
  truth_missing: 'pipeline/waiting.test.ts',
  out_of_memory: 'steps/errors/classify-error.test.ts',
  lock_busy: 'pipeline/waiting.test.ts',
  isolation_violation: 'pipeline/failures.test.ts',
  process_crash: 'pipeline/step/step-policy.test.ts',
  unknown: 'steps/errors/classify-error.test.ts',
};

const fails =
  (category: CategorizedError['category'], retryable = true) =>
  (): never => {
    throw new CategorizedError(category, `${category} on purpose`, { retryable });
  };
const once =
  <Reply>(reply: () => Reply, then: Reply) =>
  (call: number): Reply =>
    call === 1 ? reply() : then;

const spans = captureSpans();
let bench: PipelineBench;

/** Miners that each fail in a way of their own, among two that do not. */
async function faultyMiners(): Promise<readonly MinerScript[]> {
  const files = await goodForecast();
  const changes: readonly Partial<MinerScript>[] = [
    {
      poll: (call) =>
        call === 1 ? { kind: 'running', progress: 40, wireStatus: 'running' } : { kind: 'completed' },
    },
    {
      initiateFetch: (call) => (call === 1 ? fails('connection')() : { kind: 'ready', jobId: `job-${call}` }),
    },
    { poll: once(fails('timeout'), { kind: 'completed' }) },
    { initiateFetch: () => ({ kind: 'rejected', reason: 'who are you', identity: true }) },
    { poll: () => ({ kind: 'failed', message: 'CUDA out of memory' }) },
    { manifest: (_call, seal) => ({ ...seal, signature: new Uint8Array(64) }) },
    { manifest: fails('connection', false) },
    { manifest: fails('timeout', false) },
    { manifest: fails('validator_internal', false) },
    { token: () => ({ kind: 'processing' }) },
    { token: (call, ready) => (call === 1 ? ready : fails('connection')()) },
    { hosted: (opening, path, content) => (opening > 1 && path.includes('/') ? new Uint8Array(4) : content) },
    { files: await tinyFiles({ leads: ALL_LEADS, error: 0.1, nanEvery: 2 }) },
  ];
  return changes.map((script) => ({ files, ...script }));
}

/** Runs these miners to their end on these stores. */
async function runToEnd(scripts: readonly MinerScript[], stores: Parameters<typeof tinyStores>[0] = {}) {
  const stub = stubMiners(scripts);
  const pipeline = bench.open(stub, await tinyStores(stores));
  const progress = await bench.run(pipeline, stub);
  await pipeline.stop();
  return progress.status;
}

async function abandonedRun(): Promise<void> {
  const stub = stubMiners([{ files: await goodForecast() }]);
  const pipeline = bench.open(stub, await tinyStores());
  await pipeline.createRun(runRequest(stub));
  await pipeline.abandonRuns('%', { category: 'validator_internal', reason: 'on purpose' });
  await pipeline.stop();
}

/** Each kind of call, over real HTTP. */
async function calls(): Promise<void> {
  const client = createMinerClient();
  await using miner = await startScriptedMiner(json({ status: 'error', message: 'no' }));
  const request = { initTime: new Date('2025-11-26T00:00:00Z'), validatorHotkey: '5Validator' };
  await client.initiateFetch(miner.miner, request);
  await client.pollJobStatus(miner.miner, 'job-1');
  await client.requestToken(miner.miner, 'job-1');
  await client.fetchManifest(miner.miner, ACCESS);
  const nobody = { ...minerOf(0), baseUrl: 'http://127.0.0.1:1' };
  await client.pollJobStatus(nobody, 'job-1').catch(() => undefined);
  await client.close();
}

beforeAll(async () => {
  bench = await openBench();
  const { truth } = await tinyStores();
  let openings = 0;
  const lateTruth = (): Promise<typeof truth> =>
    (openings += 1) === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(truth);
  const faulty = await faultyMiners();
  const statuses = [
    await runToEnd(faulty, { truth: lateTruth as never }),
    await runToEnd(faulty.slice(3, 4)),
    await runToEnd(faulty.slice(0, 1), { analysis: fails('rate_limited_upstream') }),
  ];
  expect(statuses).toEqual(['completed', 'all_miners_failed', 'failed']);
  await abandonedRun();
  await calls();
}, 120_000);
afterAll(() => bench.close());

/** The values of an attribute that were emitted, in the order of their closed set. */
const emitted = (
  attribute: string,
  members: readonly string[],
  toMember: (value: unknown) => string = String,
): readonly string[] => {
  const values = new Set([...spans.valuesOf(attribute)].map(toMember));
  return members.filter((member) => values.has(member));
};

describe('the closed sets', () => {
  it.each([
    ['weather.step.name', STEP_NAMES],
    ['weather.step.status', STEP_STATUSES],
    ['weather.stage.status', STAGE_STATUSES],
    ['weather.forecast.status', FORECAST_STATUSES],
    ['weather.run.status', RUN_STATUSES],
    ['weather.response.status', RESPONSE_STATUSES],
    ['weather.hosting.status', HOSTING_STATUSES],
    ['weather.response.transport', TRANSPORT_OUTCOMES],
    ['weather.component.score_type', SCORE_TYPES],
    ['weather.orchestration.decision', DECISIONS],
    ['weather.orchestration.level', LOG_LEVELS],
  ] as const)(
    'every value of %s is emitted by the pipeline, or has a reason why not',
    (attribute, members) => {
      const reasons =
        attribute in UNEMITTED_VALUES ? UNEMITTED_VALUES[attribute as keyof typeof UNEMITTED_VALUES] : {};
      const missing = members.filter((member) => !emitted(attribute, members).includes(member));
      expect(missing.toSorted()).toEqual(Object.keys(reasons).toSorted());
    },
  );

  it('every stage and every substep is emitted by the pipeline', () => {
    expect(emitted('weather.stage', STAGES, (stage) => toStage(String(stage)))).toEqual(STAGES);
    const substeps = Object.values(SUBSTEPS).flat();
    const bare = (substep: unknown): string => String(substep).replace(/^attempt_\d+$/, 'attempt');
    expect(emitted('weather.step.substep', substeps, bare)).toEqual(substeps);
  });

  it('every error category is emitted by the pipeline, or by another test that is named', () => {
    const missing = ERROR_CATEGORIES.filter(
      (category) => !emitted('error.type', ERROR_CATEGORIES).includes(category),
    );
    expect(missing.toSorted()).toEqual(Object.keys(CATEGORIES_ELSEWHERE).toSorted());
    for (const [category, file] of Object.entries(CATEGORIES_ELSEWHERE))
      expect(readFileSync(join(import.meta.dirname, '..', file), 'utf8'), file).toContain(category);
  });
});
