import { ROOT_CONTEXT, trace, type Tracer } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordingSpanProcessorOptions } from '#processor/processor-options';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { MemoryQueue } from '#processor/memory-queue';
import type { SpanQueue } from '#processor/span-queue';
import { ManualScheduler, settlePromises } from './manual-scheduler.ts';
import { RecordingSink } from './recording-sink.ts';

const STEP = { attributes: { 'weather.step.name': 'query' } };

interface Rig {
  readonly sink: RecordingSink;
  readonly scheduler: ManualScheduler;
  readonly processor: RecordingSpanProcessor;
  readonly tracer: Tracer;
  /** Starts and ends a step. */
  readonly step: (name: string) => void;
}

function rig(options: Partial<RecordingSpanProcessorOptions> = {}): Rig {
  const sink = new RecordingSink();
  const scheduler = new ManualScheduler();
  const processor = new RecordingSpanProcessor({ sink, scheduler, random: () => 1, ...options });
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
  const step = (name: string): void => {
    tracer.startSpan(name, STEP).end();
  };
  return { sink, scheduler, processor, tracer, step };
}

describe('RecordingSpanProcessor', () => {
  it('a running step reaches the sink within a second, and its end later', async () => {
    const { sink, scheduler, tracer } = rig();
    const span = tracer.startSpan('query', STEP);
    await scheduler.advance(999);
    expect(sink.names).toEqual(['query started']);
    span.setAttribute('weather.step.status', 'succeeded').end();
    await scheduler.advance(200);
    expect(sink.names).toEqual(['query started', 'query ended']);
    expect(sink.written[0]?.attributes).not.toHaveProperty('weather.step.status');
    expect(sink.written[1]?.attributes).toHaveProperty('weather.step.status', 'succeeded');
  });

  it('a step that ends before its start is exported is exported once, as ended, in the place of its start', async () => {
    const { sink, scheduler, tracer, step } = rig();
    const first = tracer.startSpan('first', STEP);
    step('second');
    first.end();
    await scheduler.advance(200);
    expect(sink.names).toEqual(['first ended', 'second ended']);
  });

  it('a span that is no step is not exported', async () => {
    const { sink, scheduler, processor, tracer } = rig();
    tracer.startSpan('GET').end();
    await scheduler.advance(1000);
    expect(sink.attempts).toEqual([]);
    expect(processor.counters.queued).toBe(0);
  });

  it('full batches are exported at once, one after the other', async () => {
    const { sink, scheduler, step } = rig({ maxBatchSize: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) step(name);
    await scheduler.advance(0);
    expect(sink.attempts).toEqual([
      ['a ended', 'b ended'],
      ['c ended', 'd ended'],
    ]);
    expect(sink.mostAtOnce).toBe(1);
  });

  it('a partial batch behind a full one lingers, so that many spans are few exports', async () => {
    const { sink, scheduler, step } = rig({ maxBatchSize: 2, delayMillis: 100 });
    for (const name of ['a', 'b', 'c']) step(name);
    await scheduler.advance(99);
    expect(sink.attempts).toEqual([['a ended', 'b ended']]);
    await scheduler.advance(1);
    expect(sink.attempts).toEqual([['a ended', 'b ended'], ['c ended']]);
  });

  it('spans that waited behind a slow batch linger no more, so that a slow database delays no start twice', async () => {
    const scheduler = new ManualScheduler();
    const exports: [number, number][] = [];
    const slow = {
      export: (spans: readonly unknown[]): Promise<{ kind: 'written' }> => {
        exports.push([scheduler.now(), spans.length]);
        return new Promise((resolve) => scheduler.schedule(400, () => resolve({ kind: 'written' })));
      },
    };
    const { step } = rig({ sink: slow, scheduler, delayMillis: 100 });
    step('first');
    await scheduler.advance(150);
    step('waits 350 ms');
    await scheduler.advance(349);
    step('comes last');
    await scheduler.advance(500);
    expect(exports).toEqual([
      [100, 1],
      [500, 2],
    ]);
    step('alone');
    await scheduler.advance(99);
    expect(exports).toHaveLength(2);
    await scheduler.advance(1);
    expect(exports.at(-1)).toEqual([1099, 1]);
  });

  it('a failed batch is retried with backoff, and no later span overtakes it', async () => {
    const { sink, scheduler, processor, step } = rig({ backoff: { firstMillis: 100, maxMillis: 300 } });
    sink.answers.push('retryable', new Error('the sink threw'), 'retryable', 'retryable');
    step('first');
    await scheduler.advance(100);
    step('second');
    const pauses: number[] = [];
    while (sink.written.length === 0) {
      const [next] = scheduler.pending;
      pauses.push(next?.inMillis ?? Number.NaN);
      await scheduler.advance(next?.inMillis ?? 0);
    }
    expect(pauses).toEqual([100, 200, 300, 300]);
    await scheduler.advance(100);
    expect(sink.names).toEqual(['first ended', 'second ended']);
    expect(sink.attempts.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => ['first ended']));
    expect(processor.counters).toMatchObject({ queued: 0, exported: 2, retries: 4 });
  });

  it('a rejected batch is dropped and counted, and the next one is exported', async () => {
    const { sink, scheduler, processor, step } = rig({ maxBatchSize: 1 });
    sink.answers.push('rejected');
    step('bad');
    step('good');
    await scheduler.advance(0);
    expect(sink.names).toEqual(['good ended']);
    expect(processor.counters).toMatchObject({ exported: 1, dropped: { rejected: 1, queue_full: 0 } });
  });

  it('a full queue drops the newest spans, but never an end whose start is queued', async () => {
    const { sink, scheduler, processor, tracer, step } = rig({ maxQueueSize: 2, maxBatchSize: 1 });
    sink.answers.push('hang');
    step('under way');
    await scheduler.advance(0);
    const waiting = tracer.startSpan('waiting', STEP);
    step('too much');
    waiting.end();
    expect(processor.counters).toMatchObject({ queued: 2, dropped: { queue_full: 2 } });
    expect(sink.attempts).toEqual([['under way ended']]);
  });

  it('the age counter is the wait of the oldest span', async () => {
    const { sink, scheduler, processor, step } = rig();
    expect(processor.counters.oldestAgeMillis).toBe(0);
    sink.answers.push('hang');
    step('slow');
    await scheduler.advance(5200);
    expect(processor.counters).toMatchObject({ queued: 1, oldestAgeMillis: 5200 });
  });

  it('an export that times out is aborted and retried', async () => {
    const { sink, scheduler, processor, step } = rig({ exportTimeoutMillis: 1000 });
    sink.answers.push('hang');
    step('slow');
    await scheduler.advance(200 + 1000 + 100);
    expect(sink.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(sink.names).toEqual(['slow ended']);
    expect(processor.counters.retries).toBe(1);
  });

  it('the processor never throws at a step, whatever the span is like', () => {
    const { processor } = rig();
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    );
    expect(() => {
      processor.onStart(hostile as never);
      processor.onEnd({ attributes: STEP.attributes } as never);
    }).not.toThrow();
    expect(processor.counters.dropped.unreadable).toBe(2);
  });

  it('a blocked queue is retried after a pause, and only until shutdown', async () => {
    const takes: number[] = [];
    const memory = new MemoryQueue(10);
    const queue: SpanQueue = {
      get size() {
        return memory.size;
      },
      oldestQueuedAt: null,
      push: (span, now) => memory.push(span, now),
      take: (maxSpans) =>
        takes.push(scheduler.now()) < 4 ? { spans: [], queuedAt: 0 } : memory.take(maxSpans),
      settle: () => memory.settle(),
      close: () => memory.close(),
    };
    const { sink, scheduler, processor, step } = rig({ queue: () => queue, flushTimeoutMillis: 10 });
    step('a');
    await scheduler.advance(500);
    expect({ takes, written: sink.names }).toEqual({ takes: [100, 200, 300, 400], written: ['a ended'] });
    takes.splice(0);
    step('b');
    const closed = processor.shutdown();
    await scheduler.advance(3_600_000);
    await closed;
    expect(takes.length).toBeLessThan(4);
    expect(processor.counters.dropped.shutdown_deadline).toBe(1);
    expect(scheduler.pending).toEqual([]);
  });

  it('a timer keeps the process alive only while a flush is pending', async () => {
    const { scheduler, processor, step } = rig();
    step('a');
    expect(scheduler.pending).toEqual([{ inMillis: 100, keepsProcessAlive: false }]);
    const flushed = processor.forceFlush();
    expect(scheduler.pending.every(({ keepsProcessAlive }) => keepsProcessAlive)).toBe(true);
    await scheduler.advance(0);
    await flushed;
    expect(scheduler.pending).toEqual([]);
  });

  it('every span is written exactly once, whatever the outcomes of the sink', async () => {
    const answers = fc.array(fc.constantFrom('written', 'retryable', 'throw'), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (outcomes, count, size) => {
          const { sink, scheduler, processor, step } = rig({ maxBatchSize: size });
          sink.answers.push(
            ...outcomes.map((answer) => (answer === 'throw' ? new Error() : (answer as 'written'))),
          );
          for (let at = 0; at < count; at += 1) {
            step(`s${at}`);
            if (at % 10 === 9) await scheduler.advance(150);
          }
          await scheduler.advance(3_600_000);
          expect(sink.names).toEqual(Array.from({ length: count }, (_, at) => `s${at} ended`));
          expect(sink.mostAtOnce).toBe(1);
          expect(processor.counters).toMatchObject({ queued: 0, exported: count });
        },
      ),
      { numRuns: 30, seed: 20261123 },
    );
  });
});

describe('RecordingSpanProcessor.forceFlush', () => {
  it('a flush waits for the batch in flight and all queued spans, but not for later ones', async () => {
    const { sink, scheduler, processor, step } = rig({ maxBatchSize: 1 });
    step('a');
    step('b');
    const flushed = processor.forceFlush();
    sink.answers.push('written', 'written', 'hang');
    step('later');
    await scheduler.advance(0);
    await flushed;
    expect(sink.names).toEqual(['a ended', 'b ended']);
    expect(processor.counters.queued).toBe(1);
  });

  it('a flush of an empty queue resolves at once', async () => {
    const { sink, processor } = rig();
    await processor.forceFlush();
    expect(sink.attempts).toEqual([]);
  });

  it('a flush ends a long backoff and caps the following ones', async () => {
    const { sink, scheduler, processor, step } = rig({ backoff: { firstMillis: 60_000, maxMillis: 60_000 } });
    sink.answers.push('retryable', 'retryable');
    step('a');
    await scheduler.advance(200);
    const flushed = processor.forceFlush();
    await scheduler.advance(250);
    await flushed;
    expect(sink.attempts).toHaveLength(3);
  });

  it('a flush rejects at its deadline and the spans stay queued', async () => {
    const { sink, scheduler, processor, step } = rig({ flushTimeoutMillis: 1000 });
    sink.answers.push(...Array.from({ length: 8 }, () => 'retryable' as const));
    step('a');
    const flushed = processor.forceFlush();
    const outcome = expect(flushed).rejects.toThrow('1 spans were not exported within 1000 ms');
    await scheduler.advance(1000);
    await outcome;
    await scheduler.advance(3_600_000);
    expect(sink.names).toEqual(['a ended']);
    expect(processor.counters.dropped.shutdown_deadline).toBe(0);
  });
});

describe('RecordingSpanProcessor.shutdown', () => {
  it('shutdown exports all queued spans, stops intake, and is idempotent', async () => {
    const { sink, scheduler, processor, step } = rig();
    step('a');
    const done = processor.shutdown();
    expect(processor.shutdown()).toBe(done);
    step('late');
    await scheduler.advance(0);
    await done;
    expect(sink.names).toEqual(['a ended']);
    expect(processor.counters.dropped).toMatchObject({ after_shutdown: 2, shutdown_deadline: 0 });
    expect(scheduler.pending).toEqual([]);
  });

  it('spans left at the deadline are dropped and counted, the batch in flight included', async () => {
    const { sink, scheduler, processor, step } = rig({ flushTimeoutMillis: 1000, maxBatchSize: 1 });
    sink.answers.push('hang');
    for (const name of ['a', 'b', 'c']) step(name);
    const done = processor.shutdown();
    await scheduler.advance(1000);
    await done;
    expect(processor.counters).toMatchObject({ queued: 0, exported: 0, dropped: { shutdown_deadline: 3 } });
    await scheduler.advance(3_600_000);
    expect(sink.attempts).toEqual([['a ended']]);
    expect(sink.signals[0]?.aborted).toBe(true);
    expect(scheduler.pending).toEqual([]);
  });

  it('no span is counted as both exported and dropped', async () => {
    const { sink, scheduler, processor, step } = rig({ flushTimeoutMillis: 1000 });
    sink.answers.push(...Array.from({ length: 50 }, () => 'retryable' as const));
    step('a');
    const done = processor.shutdown();
    await scheduler.advance(1000);
    await done;
    await settlePromises();
    const { exported, dropped } = processor.counters;
    expect([exported, dropped.shutdown_deadline]).toEqual([0, 1]);
  });
});

describe('RecordingSpanProcessor with real timers', () => {
  it('a step reaches the sink and no timer is left', async () => {
    const sink = new RecordingSink();
    const processor = new RecordingSpanProcessor({ sink, delayMillis: 1 });
    const provider = new TracerProvider({ spanProcessors: [processor] });
    const span = provider.getTracer('test').startSpan('query', STEP, ROOT_CONTEXT);
    expect(trace.getSpan(ROOT_CONTEXT)).toBeUndefined();
    span.end();
    await provider.forceFlush();
    await provider.shutdown();
    expect(sink.names).toEqual(['query ended']);
  });
});
