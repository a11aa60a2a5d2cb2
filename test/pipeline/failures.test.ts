import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { beforeAll, describe, expect, it } from 'vitest';
import { CategorizedError } from '#semconv';
import type { RunProgress } from '#pipeline';
import type { PipelineSettings } from '#pipeline/pipeline-options';
import { attributesOf, contextOf, statusOf } from './support/captured-spans.ts';
import { useFreshBench } from './support/fresh-bench.ts';
import { ALL_LEADS, goodForecast, tinyStores } from './support/pipeline-bench.ts';
import { jobIdOf, stubMiners, type MinerScript } from './support/stub-miners.ts';
import { tinyFiles } from './support/tiny-world.ts';

const { spans, bench } = useFreshBench();
let files: ReadonlyMap<string, Uint8Array>;
beforeAll(async () => {
  files = await goodForecast();
});

/** Runs miners that differ from a good one as their scripts define. */
async function runWith(
  scripts: readonly Partial<MinerScript>[],
  settings: Partial<PipelineSettings> = {},
): Promise<RunProgress> {
  const stub = stubMiners(scripts.map((script) => ({ files, ...script })));
  const pipeline = bench.open(stub, settings.stores ?? (await tinyStores()), settings);
  const progress = await bench.run(pipeline, stub);
  await pipeline.stop();
  return progress;
}
const fail = (error: Error) => (): never => {
  throw error;
};
const lost = new CategorizedError('connection', 'the connection was lost', { retryable: true });
const failureOf = async (): Promise<unknown> => {
  const { rows } = await bench.database.pool.query(
    'select state, failed_step, failure_category from pipeline.run_miners',
  );
  return rows[0];
};

describe('query', () => {
  it('the query of an offline miner is retried to its last attempt, each span linked to the one before', async () => {
    const progress = await runWith([{ initiateFetch: fail(lost) }]);
    expect(progress).toMatchObject({ status: 'all_miners_failed', withoutJob: [] });
    const attempts = spans.of('query');
    expect(
      attempts.map((span) => attributesOf(span, 'weather.step.attempt', 'weather.step.status', 'error.type')),
    ).toEqual([
      [1, 'retry_scheduled', 'connection'],
      [2, 'retry_scheduled', 'connection'],
      [3, 'retry_scheduled', 'connection'],
      [4, 'failed', 'connection'],
    ]);
    for (const [index, span] of attempts.slice(1).entries()) {
      expect(span.links.map(({ context }) => context.spanId)).toEqual([
        attempts[index]?.spanContext().spanId,
      ]);
    }
    expect(attributesOf(attempts[3], 'weather.stage', 'weather.forecast.status')).toEqual([
      'inference_failed',
      'failed',
    ]);
    expect(attempts[3]?.attributes['weather.retry.next_time']).toBeUndefined();
    expect(await failureOf()).toEqual({
      state: 'failed',
      failed_step: 'query',
      failure_category: 'connection',
    });
  });

  it('a query recovers when a later attempt succeeds', async () => {
    const progress = await runWith([
      { initiateFetch: (call) => (call < 3 ? fail(lost)() : { kind: 'accepted', jobId: jobIdOf(0) }) },
    ]);
    expect(progress.status).toBe('completed');
    expect(spans.of('query').map(statusOf)).toEqual(['retry_scheduled', 'retry_scheduled', 'succeeded']);
  });

  it('a rejected identity is a final failure of the query', async () => {
    await runWith([
      { initiateFetch: () => ({ kind: 'rejected', reason: 'hotkey verification failed', identity: true }) },
    ]);
    expect(spans.of('query').map((span) => attributesOf(span, 'weather.step.status', 'error.type'))).toEqual([
      ['failed', 'rejected_identity'],
    ]);
  });

  it('a ready forecast is verified at once, with a completion time but no inference', async () => {
    const progress = await runWith([{ initiateFetch: () => ({ kind: 'ready', jobId: jobIdOf(0) }) }]);
    expect(progress.status).toBe('completed');
    expect(spans.of('poll')).toEqual([]);
    const [query] = spans.of('query');
    expect(
      attributesOf(
        query,
        'weather.response.status',
        'weather.stage.status',
        'weather.inference.started_time',
      ),
    ).toEqual(['forecast_ready', 'inference_complete', undefined]);
    expect(query?.attributes['weather.inference.completed_time']).toBe(
      query?.attributes['weather.job.accepted_time'],
    );
  });

  it('two miners cannot hold one job: the second fails as isolation_violation', async () => {
    const progress = await runWith([{}, { initiateFetch: () => ({ kind: 'accepted', jobId: jobIdOf(0) }) }], {
      concurrency: 1,
    });
    expect(progress.miners).toMatchObject({ completed: 1, failed: 1 });
    const ended = spans.of('query').map((span) => attributesOf(span, 'weather.step.status', 'error.type'));
    expect(ended).toContainEqual(['failed', 'isolation_violation']);
    expect(ended).toContainEqual(['succeeded', undefined]);
  });
});

const attemptOf = ({ attributes }: ReadableSpan): number => Number(attributes['weather.step.attempt']);

describe('poll', () => {
  it('a miner that is still computing at poll 20 fails as timeout', async () => {
    await runWith([{ poll: () => ({ kind: 'running', progress: 40, wireStatus: 'running' }) }]);
    // A poll commits within its span, so the next one may end first on a busy machine.
    const polls = [...spans.of('poll')].sort((one, other) => attemptOf(one) - attemptOf(other));
    expect(polls.map(({ attributes }) => attributes['weather.step.substep'])).toEqual(
      Array.from({ length: 20 }, (_, n) => `attempt_${n + 1}`),
    );
    expect(
      attributesOf(polls[19], 'weather.step.status', 'error.type', 'weather.stage', 'weather.poll.progress'),
    ).toEqual(['failed', 'timeout', 'inference_failed', 40]);
    expect(await failureOf()).toMatchObject({ failed_step: 'poll', failure_category: 'timeout' });
  });

  it('the word of a miner on the start of its inference is recorded, unless it is in the future', async () => {
    const soon = new Date(Date.now() + 3_600_000);
    const started = new Date();
    await runWith([
      {
        poll: (call) =>
          call === 1
            ? { kind: 'running', progress: 1, wireStatus: 'running', startedAt: soon }
            : { kind: 'completed', startedAt: started },
      },
    ]);
    const recorded = spans.of('poll').map(({ attributes }) => attributes['weather.inference.started_time']);
    expect(recorded).toEqual([undefined, started.toISOString()]);
  });

  it('a failure that the miner reports ends its polls at once', async () => {
    await runWith([{ poll: () => ({ kind: 'failed', message: 'CUDA out of memory', progress: 61 }) }]);
    const names = ['weather.step.status', 'error.type', 'weather.response.status', 'weather.poll.progress'];
    expect(spans.of('poll').map((span) => attributesOf(span, ...names))).toEqual([
      ['failed', 'miner_inference', 'failed', 61],
    ]);
  });

  it('a lost connection uses up a poll attempt, too', async () => {
    await runWith([{ poll: (call) => (call === 1 ? fail(lost)() : { kind: 'completed' }) }]);
    expect(
      spans
        .of('poll')
        .map((span) => attributesOf(span, 'weather.step.substep', 'weather.step.status', 'error.type')),
    ).toEqual([
      ['attempt_1', 'retry_scheduled', 'connection'],
      ['attempt_2', 'succeeded', undefined],
    ]);
  });
});

describe('verify', () => {
  it('verification is retried while a completed miner gives no access yet', async () => {
    const progress = await runWith([
      { token: (call, ready) => (call === 1 ? { kind: 'processing' } : ready) },
    ]);
    expect(progress.status).toBe('completed');
    const [first] = spans.of('verify');
    expect(
      attributesOf(first, 'weather.step.status', 'weather.response.status', 'weather.hosting.status'),
    ).toEqual(['retry_scheduled', 'awaiting_miner_completion', undefined]);
  });

  it('a manifest signed by another key is rejected', async () => {
    await runWith([{ manifest: (_call, seal) => ({ ...seal, signature: new Uint8Array(64) }) }]);
    const [span] = spans.of('verify');
    expect(
      attributesOf(
        span,
        'weather.step.status',
        'error.type',
        'weather.response.status',
        'weather.verification.passed',
        'weather.forecast.status',
        'weather.hosting.status',
      ),
    ).toEqual(['failed', 'verification_signature', 'verification_failed', false, 'failed', 'accessible']);
  });

  it('a manifest after the freeze window is rejected at the first attempt', async () => {
    await runWith([{}], { freezeWindowMillis: -1 });
    const [span] = spans.of('verify');
    expect(attributesOf(span, 'weather.step.status', 'error.type', 'weather.response.status')).toEqual([
      'failed',
      'verification_freeze_window',
      'verification_error',
    ]);
    expect(spans.of('day1')).toEqual([]);
  });

  it('the hosting status distinguishes an outage from a false manifest', async () => {
    await runWith([
      {
        manifest: (call, seal) =>
          call === 1 ? fail(new CategorizedError('timeout', 'took too long', { retryable: true }))() : seal,
      },
    ]);
    const [first, second] = spans.of('verify');
    expect(
      attributesOf(first, 'weather.step.status', 'weather.hosting.status', 'weather.verification.passed'),
    ).toEqual(['retry_scheduled', 'timeout', undefined]);
    expect(attributesOf(second, 'weather.step.status', 'weather.hosting.status')).toEqual([
      'succeeded',
      'accessible',
    ]);
  });

  it('files that differ from the manifest are rejected', async () => {
    await runWith([
      { hosted: (_opening, path, content) => (path === '.zmetadata' ? new Uint8Array([123, 125]) : content) },
    ]);
    expect(spans.of('verify').map((span) => attributesOf(span, 'weather.step.status', 'error.type'))).toEqual(
      [['failed', 'verification_chunk']],
    );
  });
});

describe('scoring', () => {
  it('a lead with swapped chunks fails, and the others are scored', async () => {
    const swapped = (path: string): boolean => path.startsWith('msl/1.');
    const progress = await runWith([
      {
        hosted: (_opening, path, content) =>
          swapped(path) && content ? content.map((byte) => byte ^ 1) : content,
      },
    ]);
    expect(progress).toMatchObject({ status: 'completed', leads: { scored: 2, failed: 1 } });
    const failed = spans.of('era5').find((span) => statusOf(span) === 'failed');
    expect(
      attributesOf(
        failed,
        'weather.lead_hours',
        'error.type',
        'weather.response.status',
        'weather.step.attempt',
      ),
    ).toEqual([24, 'verification_chunk', 'verification_failed', 1]);
    expect(failed?.attributes['weather.score.era5']).toBeUndefined();
    expect(failed?.attributes['weather.score.reason']).toContain('msl');
    expect(contextOf(spans.of('aggregate', 'miner_scores')[0])).toMatchObject({
      scored_leads: 1,
      missing: ['era5 24 h: verification_chunk'],
    });
  });

  it('a miner that claims another manifest after the freeze gets no score', async () => {
    await runWith([
      {
        token: (call, ready) =>
          call === 1 || ready.kind !== 'ready'
            ? ready
            : { kind: 'ready', access: { ...ready.access, manifestHash: 'f'.repeat(64) } },
      },
    ]);
    const ended = [...spans.of('day1'), ...spans.of('era5')].map((span) =>
      attributesOf(span, 'weather.step.status', 'error.type'),
    );
    expect(ended).toEqual(ended.map(() => ['failed', 'verification_hash_changed']));
    expect(await failureOf()).toMatchObject({
      state: 'failed',
      failed_step: 'era5',
      failure_category: 'verification_hash_changed',
    });
    expect(
      attributesOf(
        spans.of('aggregate', 'miner_scores')[0],
        'weather.forecast.status',
        'weather.stage.status',
      ),
    ).toEqual(['failed', 'failed']);
  });

  it('NaN values fail the coverage gate: neither day one nor any lead has a score', async () => {
    await runWith([{ files: await tinyFiles({ leads: ALL_LEADS, error: 0.1, nanEvery: 7 }) }]);
    expect(
      [...spans.of('day1'), ...spans.of('era5')].map((span) =>
        attributesOf(span, 'weather.step.status', 'error.type'),
      ),
    ).toEqual(Array.from({ length: 3 }, () => ['failed', 'data_coverage']));
  });

  it('a forecast that lacks a variable is scored on the others, and the lack is recorded', async () => {
    await runWith([{ files: await tinyFiles({ leads: ALL_LEADS, error: 0.1, without: ['z'] }) }]);
    const lead = spans.of('era5').find((span) => statusOf(span) === 'succeeded');
    expect(lead?.attributes['weather.score.reason']).toBe(
      'the forecast lacks z500, z850; there is no truth for 10v, t, u, v, q',
    );
    expect(contextOf(lead)).toMatchObject({
      missing_variables: ['z500', 'z850', '10v', 't', 'u', 'v', 'q'],
      fields: 3,
    });
    expect(lead?.attributes['weather.score.era5']).toBeGreaterThan(0.5);
    const missed = spans
      .of('day1')[0]
      ?.events.find(({ attributes }) => attributes?.['weather.component.variable_name'] === 'z');
    expect(missed?.attributes).toMatchObject({
      'weather.component.reason': 'the forecast has no such field',
    });
  });

  it('a lead that the forecast does not reach has no score', async () => {
    await runWith([{ files: await tinyFiles({ leads: [12, 24], error: 0.1 }) }]);
    const ended = spans
      .of('era5')
      .map((span) => attributesOf(span, 'weather.lead_hours', 'weather.step.status', 'error.type'));
    expect(ended).toContainEqual([24, 'succeeded', undefined]);
    expect(ended).toContainEqual([48, 'failed', 'data_missing_variable']);
  });

  it('a copy of the reference is clamped on day one, and 0.05 or less is still a score', async () => {
    await runWith([{ files: await tinyFiles({ leads: ALL_LEADS, error: 0.4, phase: 5 }) }]);
    const [span] = spans.of('day1');
    expect(statusOf(span)).toBe('succeeded');
    expect(span?.attributes['weather.score.initial']).toBeLessThanOrEqual(0.05);
    expect(contextOf(span)).toMatchObject({ clamped: true });
    expect(span?.events[0]?.attributes).toMatchObject({ 'weather.component.clone_penalty': 1 });
  });

  it('the scoring of a lead is retried when its files could not be read', async () => {
    await runWith([
      {
        hosted: (opening, path, content) => (opening === 2 && path === 'msl/0.0.0' ? fail(lost)() : content),
      },
    ]);
    expect(
      spans
        .of('day1')
        .map((span) => attributesOf(span, 'weather.step.attempt', 'weather.step.status', 'error.type')),
    ).toEqual([
      [1, 'retry_scheduled', 'connection'],
      [2, 'succeeded', undefined],
    ]);
  });
});
