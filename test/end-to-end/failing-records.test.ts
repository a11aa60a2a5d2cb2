import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SpanSink } from '#exporters/export-report';
import { createPostgresExporter } from '#postgres/exporter';
import type { RecordingSpanProcessorOptions } from '#processor/processor-options';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { createDatabasePool } from '#database/connect';
import { step, type StepDefinition } from '#steps';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openBreakableProxy } from './support/breakable-proxy.ts';

/** Soon enough for a test that waits for it to pass in vain. */
const FLUSH_TIMEOUT_MILLIS = 150;
const RESULT = { forecast: 'as it was' };
const ERROR = Object.freeze(new TypeError('as it was'));

const definition: StepDefinition<[number], unknown> = {
  name: 'query',
  substep: 'initiate_fetch',
  identity: (uid) => ({
    validatorHotkey: '5Validator',
    runId: 1,
    initTime: new Date('2026-11-23T00:00:00Z'),
    minerUid: uid,
    minerHotkey: `5Miner${uid}`,
  }),
};
const returning = step(definition, (uid: number): typeof RESULT | number => (uid < 0 ? uid : RESULT));
const resolving = step(definition, (uid: number): Promise<unknown> =>
  Promise.resolve(uid < 0 ? uid : RESULT),
);
const throwing = step(definition, (uid: number): unknown => {
  if (uid >= 0) throw ERROR;
  return uid;
});
const rejecting = step(definition, async (uid: number): Promise<unknown> => {
  await Promise.resolve();
  if (uid >= 0) throw ERROR;
  return uid;
});

const opened: RecordingSpanProcessor[] = [];
/** Records the steps of a test in a sink. */
function recordIn(
  sink: SpanSink,
  options: Partial<RecordingSpanProcessorOptions> = {},
): RecordingSpanProcessor {
  const processor = new RecordingSpanProcessor({
    sink,
    delayMillis: 0,
    flushTimeoutMillis: FLUSH_TIMEOUT_MILLIS,
    ...options,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const resource = resourceFromAttributes({ 'service.instance.id': 'instance-1' });
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor], resource }));
  opened.push(processor);
  return processor;
}
afterEach(async () => {
  trace.disable();
  context.disable();
  for (const processor of opened.splice(0)) await processor.shutdown();
});

/** What every kind of step gives is what its function gives: the same objects, at the same moment. */
async function expectSameBehaviour(uid = 1): Promise<void> {
  expect(returning(uid)).toBe(RESULT);
  expect(() => throwing(uid)).toThrow(ERROR);
  await expect(resolving(uid)).resolves.toBe(RESULT);
  await expect(rejecting(uid)).rejects.toBe(ERROR);
}

/** Checks that a flush resolves: it throws otherwise. */
const isFlushed = (processor: RecordingSpanProcessor): Promise<boolean> =>
  processor.forceFlush().then(
    () => true,
    () => false,
  );

const lost = (processor: RecordingSpanProcessor): Record<string, number> =>
  Object.fromEntries(Object.entries(processor.counters.dropped).filter(([, count]) => count > 0));

describe('a step whose recording fails', () => {
  it('a step has the same value and error when the sink throws', async () => {
    let exports = 0;
    const processor = recordIn({
      export: () => {
        exports += 1;
        throw new Error('the sink is broken');
      },
    });
    await expectSameBehaviour();
    expect(await isFlushed(processor)).toBe(false);
    expect(exports).toBeGreaterThan(0);
    expect(processor.counters).toMatchObject({ exported: 0, queued: 4 });
    await processor.shutdown();
    expect(lost(processor)).toEqual({ shutdown_deadline: 4 });
  });

  it('a step is unchanged when the sink fails, and its span is delivered once the sink works again', async () => {
    let isBroken = true;
    const processor = recordIn({
      export: () => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve({ kind: 'written' })),
    });
    await expectSameBehaviour();
    expect(await isFlushed(processor)).toBe(false);
    isBroken = false;
    await expectSameBehaviour();
    expect(await isFlushed(processor)).toBe(true);
    expect(processor.counters).toMatchObject({ exported: 8, queued: 0 });
    expect(processor.counters.retries).toBeGreaterThan(0);
    expect(lost(processor)).toEqual({});
  });

  it('a step is unchanged when its span is rejected for good, and the rejection is counted', async () => {
    const processor = recordIn({
      export: () => Promise.resolve({ kind: 'rejected', error: new Error('no') }),
    });
    await expectSameBehaviour();
    expect(await isFlushed(processor)).toBe(true);
    expect(lost(processor)).toEqual({ rejected: 4 });
  });

  it('a step is unchanged when the queue is full, and the dropped spans are counted', async () => {
    const processor = recordIn({ export: () => new Promise(() => undefined) }, { maxQueueSize: 1 });
    await expectSameBehaviour();
    expect(processor.counters.queued).toBe(1);
    expect(lost(processor)['queue_full']).toBeGreaterThanOrEqual(3);
  });

  it('a step is unchanged after the recorder was shut down, and its dropped span is counted', async () => {
    const processor = recordIn({ export: () => Promise.resolve({ kind: 'written' }) });
    await processor.shutdown();
    await expectSameBehaviour();
    expect(lost(processor)).toEqual({ after_shutdown: 8 });
  });

  it('no step waits for the sink: a thousand steps end during the first export', async () => {
    let answer: (() => void) | undefined;
    let exports = 0;
    const processor = recordIn({
      export: () => {
        exports += 1;
        return new Promise((resolve) => {
          answer = () => resolve({ kind: 'written' });
        });
      },
    });
    await resolving(0);
    await expect.poll(() => exports).toBe(1);
    const results = await Promise.all(Array.from({ length: 1000 }, (_, uid) => resolving(uid)));
    expect(results.every((result) => result === RESULT)).toBe(true);
    expect({ exports, exported: processor.counters.exported }).toEqual({ exports: 1, exported: 0 });
    expect(processor.counters.queued).toBeGreaterThanOrEqual(1001);
    answer?.();
  });
});

describe('a step whose database is away', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const countRows = async (): Promise<number> =>
    (await database.pool.query('select from weather_forecast_steps')).rows.length;

  it('a step is unchanged while the connection is cut, and its row is recorded after the repair', async () => {
    const proxy = await openBreakableProxy(database.connectionString);
    const pool = createDatabasePool(proxy.url, { maxConnections: 1 });
    const exporter = createPostgresExporter({ pool });
    const processor = recordIn(
      { export: (spans) => exporter.exportObserved(spans) },
      { flushTimeoutMillis: 20_000 },
    );
    await expectSameBehaviour(1);
    expect(await isFlushed(processor)).toBe(true);
    expect(await countRows()).toBe(4);
    await proxy.cut();
    await expectSameBehaviour(2);
    await expect.poll(() => processor.counters.retries).toBeGreaterThan(0);
    await expectSameBehaviour(3);
    expect(await countRows()).toBe(4);
    await proxy.mend();
    expect(await isFlushed(processor)).toBe(true);
    expect(await countRows()).toBe(12);
    expect(lost(processor)).toEqual({});
    await pool.end();
    await proxy.cut();
  });

  it('a step is unchanged without a database server, and unwritten spans are counted at the end', async () => {
    const proxy = await openBreakableProxy(database.connectionString);
    await proxy.cut();
    const pool = createDatabasePool(proxy.url);
    const exporter = createPostgresExporter({ pool });
    const processor = recordIn({ export: (spans) => exporter.exportObserved(spans) });
    const before = await countRows();
    await expectSameBehaviour(4);
    await expect.poll(() => processor.counters.retries).toBeGreaterThan(0);
    await processor.shutdown();
    expect(lost(processor)).toEqual({ shutdown_deadline: 4 });
    expect(await countRows()).toBe(before);
    await pool.end();
  });
});
