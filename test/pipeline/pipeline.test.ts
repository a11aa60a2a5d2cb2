import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunProgress } from '#pipeline';
import { attributesOf, captureSpans, contextOf, statusOf, traceparentOf } from './support/captured-spans.ts';
import { goodForecast, openBench, tinyStores, type PipelineBench } from './support/pipeline-bench.ts';
import { minerOf, stubMiners, type StubMiners } from './support/stub-miners.ts';
import { cycleAfterInit, isoAfterInit, VALIDATOR } from './support/tiny-world.ts';

const spans = captureSpans();
const only = (name: string, substep?: string): ReadableSpan => {
  const [span] = spans.of(name, substep);
  if (span === undefined) throw new Error(`no span ${name} ${substep ?? ''}`);
  return span;
};
const parentOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId;
const decisionsOf = (span: ReadableSpan): unknown[] =>
  span.events
    .filter(({ name }) => name === 'weather.orchestration.decision')
    .map(({ attributes }) => attributes?.['weather.orchestration.decision']);

describe('pipeline with one good miner', () => {
  let bench: PipelineBench;
  let stub: StubMiners;
  let progress: RunProgress;
  beforeAll(async () => {
    bench = await openBench();
    stub = stubMiners([
      {
        files: await goodForecast(),
        poll: (call) =>
          call === 1 ? { kind: 'running', progress: 0, wireStatus: 'running' } : { kind: 'completed' },
      },
    ]);
    const pipeline = bench.open(stub, await tinyStores());
    const { runId } = await bench.run(pipeline, stub);
    // The job that ended the run is closed behind the commit that did.
    await vi.waitUntil(async () => (await pipeline.progress(runId)).jobs === 0, { timeout: 10_000 });
    progress = await pipeline.progress(runId);
  });
  afterAll(() => bench.close());

  it('a run ends completed with every lead scored and no job in the queue', () => {
    expect(progress).toMatchObject({
      status: 'completed',
      isFinished: true,
      jobs: 0,
      nextJobAt: null,
      withoutJob: [],
    });
    expect(progress.miners.completed).toBe(1);
    expect(progress.leads).toMatchObject({ scored: 3, failed: 0, pending: 0, due: 0 });
    expect(bench.problems).toEqual([]);
  });

  it('a run has one trace: its decisions, GFS step and summary are below forecast.run', () => {
    const root = only('orchestration', 'create_run');
    expect(root.name).toBe('forecast.run');
    expect(root.parentSpanContext).toBeUndefined();
    const below = [
      ...spans.of('orchestration', 'decision'),
      only('seed', 'gfs_download'),
      only('aggregate', 'run_scores'),
    ];
    expect(below.map(parentOf)).toEqual(below.map(() => root.spanContext().spanId));
    expect(
      attributesOf(root, 'weather.run.status', 'weather.run.expected_leads', 'weather.validator.hotkey'),
    ).toEqual(['created', 2, VALIDATOR]);
  });

  it('each status of a run is recorded with the decision that leads to it', () => {
    const statuses = spans
      .of('orchestration')
      .map((span) => [span.attributes['weather.run.status'], ...decisionsOf(span)]);
    expect(statuses).toEqual([
      ['created', 'create_run'],
      ['seeding', 'seed_miners', 'fetch_gfs'],
      ['querying_miners', 'query_miners'],
      ['awaiting_results', 'await_results'],
      ['completed', 'complete_run'],
    ]);
    expect(only('seed', 'gfs_download').attributes['weather.run.status']).toBe('gfs_ready');
    expect(decisionsOf(only('aggregate', 'run_scores'))).toEqual(['aggregate_run']);
  });

  it('a miner has one trace, linked to that of the run, with all its steps below forecast.miner', () => {
    const root = only('seed', 'seed_miner');
    expect(root.name).toBe('forecast.miner');
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.links.map(({ context }) => context.spanId)).toEqual([
      only('orchestration', 'create_run').spanContext().spanId,
    ]);
    const below = ['query', 'poll', 'verify', 'day1', 'era5'].flatMap((name) => spans.of(name));
    expect(below).toHaveLength(7);
    expect(below.map(parentOf)).toEqual(below.map(() => root.spanContext().spanId));
    expect(parentOf(only('aggregate', 'miner_scores'))).toBe(root.spanContext().spanId);
  });

  it('the seed of a forecast records its type and its actual inputs', () => {
    const root = only('seed', 'seed_miner');
    expect(
      attributesOf(
        root,
        'weather.stage',
        'weather.stage.status',
        'weather.forecast.status',
        'weather.forecast.type',
      ),
    ).toEqual(['init', 'initialized', 'seeded', '10day']);
    expect(JSON.parse(String(root.attributes['weather.forecast.input_sources']))).toMatchObject({
      gfs: [cycleAfterInit(-6), cycleAfterInit(0)],
      era5_lead_hours: [24, 48],
    });
  });

  it('the GFS input is read once for the run, and the fields that were read are recorded', () => {
    const span = only('seed', 'gfs_download');
    expect(span.attributes['weather.miner.uid']).toBeUndefined();
    expect(span.attributes['weather.stage']).toBe('gfs_fetch');
    expect(contextOf(span)).toMatchObject({
      cycles: [cycleAfterInit(0)],
      fields: { analysis: ['2t', 'msl', '10u', 'z500'], reference: ['2t', 'msl', '10u', 'z500'] },
      cache_hits: 0,
      bytes: 8 * 30 * 4,
    });
  });

  it('an accepted query is recorded with job, time and stage', () => {
    const span = only('query');
    expect(
      attributesOf(
        span,
        'weather.stage',
        'weather.stage.status',
        'weather.response.status',
        'weather.step.attempt',
        'weather.step.max_attempts',
      ),
    ).toEqual(['inference_running', 'query_successful', 'inference_running', 1, 4]);
    expect(span.attributes['weather.job.accepted_time']).toBe(
      span.attributes['weather.inference.started_time'],
    );
    expect(contextOf(span)).toMatchObject({ fast_path: false, job_id_expected: true });
  });

  it('a poll of a running job is recorded with progress 0 and no error, and the next links to it', () => {
    const [first, second] = [only('poll', 'attempt_1'), only('poll', 'attempt_2')];
    expect(statusOf(first)).toBe('retry_scheduled');
    expect(first.attributes['error.type']).toBeUndefined();
    expect(attributesOf(first, 'weather.stage', 'weather.stage.status', 'weather.poll.progress')).toEqual([
      'inference_running_0%',
      'polling',
      0,
    ]);
    expect(first.events.map(({ name }) => name)).toEqual(['weather.retry_scheduled']);
    expect(second.links.map(({ context }) => context.spanId)).toEqual([first.spanContext().spanId]);
    expect(
      attributesOf(
        second,
        'weather.step.status',
        'weather.stage',
        'weather.stage.status',
        'weather.response.status',
        'weather.poll.progress',
      ),
    ).toEqual(['succeeded', 'awaiting_scoring', 'inference_complete', 'forecast_ready', 100]);
    expect(second.attributes['weather.inference.duration_seconds']).toBeGreaterThanOrEqual(0);
  });

  it('the start of the inference is the acceptance until the miner says when it was', () => {
    const accepted = only('query').attributes['weather.job.accepted_time'];
    expect(only('query').attributes['weather.inference.started_time']).toBe(accepted);
    const started = spans.of('poll').map(({ attributes }) => attributes['weather.inference.started_time']);
    expect(started).toEqual([undefined, undefined]);
  });

  it('a verified forecast is recorded with hosting and manifest, and without its token', () => {
    const span = only('verify');
    expect(
      attributesOf(
        span,
        'weather.hosting.status',
        'weather.hosting.latency_ms',
        'weather.response.status',
        'weather.verification.passed',
        'weather.forecast.status',
      ),
    ).toEqual(['accessible', 12.5, 'verified_manifest_store_opened', true, 'input_received']);
    expect(span.attributes['weather.manifest.hash_claimed']).toBe(
      span.attributes['weather.manifest.hash_computed'],
    );
    expect(JSON.parse(String(span.attributes['weather.manifest.header']))).toMatchObject({
      signer_hotkey_ss58: minerOf(0).hotkey,
    });
    const everything = JSON.stringify(spans.of().map(({ attributes, events }) => [attributes, events]));
    expect(everything).not.toContain('secret-token');
    expect(everything).not.toContain('203.0.113.9');
  });

  it('day one is scored against the analysis with every metric, and GFS as reference', () => {
    const span = only('day1');
    expect(
      attributesOf(
        span,
        'weather.stage',
        'weather.stage.status',
        'weather.forecast.status',
        'weather.lead_hours',
      ),
    ).toEqual(['day1_scored', 'completed', 'day1_scored', 12]);
    expect(span.attributes['weather.score.initial']).toBeGreaterThan(0.5);
    expect(span.attributes['weather.profile.cpu_ms']).toBeGreaterThanOrEqual(0);
    const components = span.events
      .filter(({ name }) => name === 'weather.component_score')
      .map(({ attributes }) => attributes ?? {});
    expect(
      components.map((one) => [
        one['weather.component.variable_name'],
        one['weather.component.pressure_level'],
      ]),
    ).toEqual([
      ['2t', undefined],
      ['msl', undefined],
      ['10u', undefined],
      ['z', 500],
    ]);
    for (const metric of [
      'rmse',
      'mse',
      'mae',
      'bias',
      'acc',
      'skill_score',
      'skill_score_gfs',
      'skill_score_climatology',
      'plain_skill_score_gfs',
      'plain_skill_score_climatology',
      'coverage',
      'pattern_correlation',
    ]) {
      expect(components[0]?.[`weather.component.${metric}`]).toEqual(expect.any(Number));
    }
    expect(components[0]).toMatchObject({
      'weather.component.score_type': 'day1',
      'weather.component.valid_time': isoAfterInit(12),
      'weather.component.clone_penalty': 0,
      'weather.component.climatology_check_passed': true,
      'weather.component.pattern_correlation_passed': true,
      'weather.component.variable_weight': 0.25,
    });
  });

  it('the GFS fields of day one are found in the cache that seeding filled', () => {
    expect(contextOf(only('day1'))).toMatchObject({ truth: 'analysis', cache_hits: 8, cache_misses: 4 });
  });

  it('each ERA5 lead is scored by level, and the last one completes the stage', () => {
    const leads = spans.of('era5').filter((span) => statusOf(span) === 'succeeded');
    expect(leads.map(({ attributes }) => attributes['weather.lead_hours']).toSorted()).toEqual([24, 48]);
    expect(leads.map(({ attributes }) => attributes['weather.stage.status'])).toContain('completed');
    for (const span of leads) {
      expect(span.attributes['weather.stage']).toBe(
        `era5_scoring_${String(span.attributes['weather.lead_hours'])}h`,
      );
      expect(span.attributes['weather.score.era5']).toBeGreaterThan(0.5);
      const weights = span.events
        .filter(({ name }) => name === 'weather.component_score')
        .map(({ attributes }) => attributes?.['weather.component.variable_weight']);
      expect(weights).toEqual([0.25, 0.2, 0.1, 0.05, 0.05]);
    }
  });

  it('a forecast is aggregated with its counts and scores', () => {
    const span = only('aggregate', 'miner_scores');
    expect(attributesOf(span, 'weather.stage', 'weather.stage.status', 'weather.forecast.status')).toEqual([
      'complete',
      'completed',
      'completed',
    ]);
    expect(contextOf(span)).toMatchObject({
      is_completed: true,
      expected_leads: 2,
      scored_leads: 2,
      completeness: 1,
      missing: [],
    });
  });

  it('control state keeps the root traces, so that a restart continues in them', async () => {
    const { rows } = await bench.database.pool.query(
      'select root_traceparent from pipeline.runs union all select root_traceparent from pipeline.run_miners',
    );
    expect(rows.map((row) => (row as { root_traceparent: string }).root_traceparent)).toEqual([
      traceparentOf(only('orchestration', 'create_run')),
      traceparentOf(only('seed', 'seed_miner')),
    ]);
  });

  it('the frozen manifests are deleted when the run is over', async () => {
    const { rows } = await bench.database.pool.query('select from pipeline.frozen_manifests');
    expect(rows).toHaveLength(0);
  });
});
