import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions, ExportReport, SpanSink } from '#exporters/export-report';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import type { SpanBatch } from '#processor/span-queue';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan } from '#test/support/spans';
import { ManualScheduler } from './manual-scheduler.ts';
import { deliveryTo } from './support/delivery.ts';

const spanAt = (at: number): ObservedSpan => ({ ...endedSpan({ step: 'query', at }), name: String(at) });
const namesOf = (spans: readonly ObservedSpan[]): number[] => spans.map(({ name }) => Number(name));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** A batch whose account holds the range that it was requested for. */
const batchOf = (count: number): SpanBatch => ({
  spans: numbers(count).map(spanAt),
  queuedAt: 0,
  account: (from, to) => ({ received: [[from, to]] }) as unknown as EmitterAccount,
});

interface Call {
  readonly kind: 'export' | 'dead letter';
  readonly spans: readonly number[];
  readonly slice: readonly (readonly [number, number])[] | undefined;
  readonly answer: ExportReport['kind'];
}

/** A sink that rejects batches with a poison span; scripted outcomes come first. */
class PoisonedSink implements SpanSink {
  readonly calls: Call[] = [];
  /** Spans that were written or became dead letters, in that order. */
  readonly settled: number[] = [];
  readonly deadLettered: number[] = [];
  readonly #poisons: ReadonlySet<number>;
  readonly #answers: (ExportReport['kind'] | undefined)[];

  constructor(poisons: readonly number[], answers: readonly (ExportReport['kind'] | undefined)[] = []) {
    this.#poisons = new Set(poisons);
    this.#answers = [...answers];
  }

  async export(spans: readonly ObservedSpan[], options?: ExportOptions): Promise<ExportReport> {
    const names = namesOf(spans);
    const isRejected = names.some((name) => this.#poisons.has(name));
    return this.#answer('export', names, { options, usual: isRejected ? 'rejected' : 'written' });
  }

  async writeDeadLetter(span: ObservedSpan, error: unknown, options?: ExportOptions): Promise<ExportReport> {
    expect(error).toMatchObject({ message: 'rejected' });
    const report = this.#answer('dead letter', namesOf([span]), { options, usual: 'written' });
    if (report.kind === 'written') this.deadLettered.push(Number(span.name));
    return report;
  }

  #answer(
    kind: Call['kind'],
    spans: readonly number[],
    { options, usual }: { readonly options: ExportOptions | undefined; readonly usual: ExportReport['kind'] },
  ): ExportReport {
    const answer = this.#answers.shift() ?? usual;
    this.calls.push({ kind, spans, slice: options?.account?.received, answer });
    if (answer !== 'written') return { kind: answer, error: new Error(answer) };
    this.settled.push(...spans);
    return { kind: 'written' };
  }
}

interface Watched {
  readonly delivery: DeliveryContext;
  readonly pauses: readonly number[];
  readonly retries: () => number;
  readonly stop: () => void;
}

function watchedDelivery(sink: SpanSink, changes: Partial<DeliveryContext> = {}): Watched {
  const stopping = new AbortController();
  const pauses: number[] = [];
  let retries = 0;
  const delivery = deliveryTo(sink, {
    backoff: { firstMillis: 100, maxMillis: 1000 },
    signal: stopping.signal,
    isStopped: () => stopping.signal.aborted,
    onRetry: () => (retries += 1),
    pause: async (millis) => void pauses.push(millis),
    ...changes,
  });
  return { delivery, pauses, retries: () => retries, stop: () => stopping.abort() };
}

const poisoned = fc
  .integer({ min: 1, max: 40 })
  .chain((count) => fc.record({ count: fc.constant(count), poisons: fc.subarray(numbers(count)) }));

describe('deliverBatch', () => {
  it('a batch that the sink accepts is one export, with the account of the whole batch', async () => {
    const sink = new PoisonedSink([]);
    const { delivery } = watchedDelivery(sink);
    expect(await deliverBatch(batchOf(5), delivery)).toEqual({ kind: 'settled', kept: 5, rejected: 0 });
    expect(sink.calls).toEqual([
      { kind: 'export', spans: [0, 1, 2, 3, 4], slice: [[0, 5]], answer: 'written' },
    ]);
  });

  it('each poison span becomes a dead letter alone, and all other spans are written in order', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, async ({ count, poisons }) => {
        const sink = new PoisonedSink(poisons);
        const end = await deliverBatch(batchOf(count), deliveryTo(sink));
        expect(end).toEqual({ kind: 'settled', kept: count, rejected: 0 });
        expect(sink.deadLettered).toEqual(poisons);
        expect(sink.settled).toEqual(numbers(count));
      }),
    );
  });

  it('each part is exported with its own account, so that the books count exactly the committed spans', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, async ({ count, poisons }) => {
        const sink = new PoisonedSink(poisons);
        await deliverBatch(batchOf(count), deliveryTo(sink));
        const written = sink.calls.filter(({ answer }) => answer === 'written');
        const slices = written.flatMap(({ slice }) => slice ?? []);
        expect(slices.map(([from]) => from)).toEqual([0, ...slices.slice(0, -1).map(([, to]) => to)]);
        expect(slices.at(-1)?.[1]).toBe(count);
        for (const { spans, slice } of written) expect(slice).toEqual([[spans[0], (spans.at(-1) ?? 0) + 1]]);
      }),
    );
  });

  it.each([1, 2, 3, 8, 500, 2000])(
    'a batch of %i spans with one poison span takes at most 1 + 2·log2(n) exports',
    async (count) => {
      const most = 1 + 2 * Math.ceil(Math.log2(count));
      for (const poison of [0, Math.floor(count / 3), count - 1]) {
        const sink = new PoisonedSink([poison]);
        await deliverBatch(batchOf(count), deliveryTo(sink));
        expect(sink.calls.filter(({ kind }) => kind === 'export').length).toBeLessThanOrEqual(most);
        expect(sink.deadLettered).toEqual([poison]);
      }
    },
  );

  it('a retryable outcome at any point repeats that part only', async () => {
    const away = fc.array(fc.constantFrom<('retryable' | undefined)[]>(['retryable'], [undefined]), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(poisoned, away, async ({ count, poisons }, answers) => {
        const [clean, troubled] = [new PoisonedSink(poisons), new PoisonedSink(poisons, answers.flat())];
        await deliverBatch(batchOf(count), deliveryTo(clean));
        const { delivery, retries, pauses } = watchedDelivery(troubled);
        await deliverBatch(batchOf(count), delivery);
        const answered = troubled.calls.filter(({ answer }) => answer !== 'retryable');
        expect(answered, 'the same calls, but for those in vain').toEqual(clean.calls);
        expect(retries()).toBe(troubled.calls.length - answered.length);
        expect(pauses).toHaveLength(retries());
      }),
    );
  });

  it('the backoff grows with each attempt and restarts for each part', async () => {
    const sink = new PoisonedSink(
      [0],
      ['retryable', 'retryable', 'retryable', 'rejected', undefined, undefined, 'retryable'],
    );
    const { delivery, pauses } = watchedDelivery(sink);
    await deliverBatch(batchOf(2), delivery);
    expect(pauses).toEqual([100, 200, 400, 100]);
  });

  it('a delivery that is stopped in the middle makes no further call', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, fc.nat(20), async ({ count, poisons }, calls) => {
        const all = new PoisonedSink(poisons);
        await deliverBatch(batchOf(count), deliveryTo(all));
        fc.pre(calls < all.calls.length);
        const sink = new PoisonedSink(poisons);
        const { delivery } = watchedDelivery(sink, { isStopped: () => sink.calls.length > calls });
        expect(await deliverBatch(batchOf(count), delivery)).toEqual({ kind: 'given_up' });
        expect(sink.calls).toEqual(all.calls.slice(0, calls + 1));
      }),
    );
  });

  it('a delivery that is stopped before it begins makes no call: a hanging sink would never be aborted', async () => {
    const sink = new PoisonedSink([]);
    const { delivery, stop } = watchedDelivery(sink);
    stop();
    expect(await deliverBatch(batchOf(3), delivery)).toEqual({ kind: 'given_up' });
    expect(sink.calls).toEqual([]);
  });

  it('a delivery that is stopped during a pause is not retried', async () => {
    const sink = new PoisonedSink([], ['retryable']);
    const watched = watchedDelivery(sink, { pause: async () => watched.stop() });
    expect(await deliverBatch(batchOf(3), watched.delivery)).toEqual({ kind: 'given_up' });
    expect(sink.calls).toHaveLength(1);
  });

  it('a span that is rejected by a sink without dead letters is counted as rejected', async () => {
    const sink = new PoisonedSink([1, 3]);
    const { delivery } = watchedDelivery({ export: sink.export.bind(sink) });
    expect(await deliverBatch(batchOf(5), delivery)).toEqual({ kind: 'settled', kept: 3, rejected: 2 });
    expect(sink.settled).toEqual([0, 2, 4]);
  });

  it('a span whose dead letter is rejected is counted, and one whose dead letter is retryable is retried', async () => {
    const refusing = new PoisonedSink([0], [undefined, 'rejected']);
    expect(await deliverBatch(batchOf(1), deliveryTo(refusing))).toMatchObject({
      kept: 0,
      rejected: 1,
    });
    const away = new PoisonedSink([0], [undefined, 'retryable']);
    expect(await deliverBatch(batchOf(1), deliveryTo(away))).toMatchObject({ kept: 1, rejected: 0 });
    expect(away.calls.map(({ kind }) => kind)).toEqual(['export', 'dead letter', 'dead letter']);
  });

  it('an empty batch settles when its account is rejected, and no span is counted', async () => {
    const sink = new PoisonedSink([], ['rejected']);
    const end = await deliverBatch(batchOf(0), deliveryTo(sink));
    expect(end).toEqual({ kind: 'settled', kept: 0, rejected: 0 });
    expect(sink.calls).toHaveLength(1);
  });

  it('a batch without books is exported without an account', async () => {
    const sink = new PoisonedSink([0]);
    await deliverBatch({ spans: batchOf(2).spans, queuedAt: 0 }, deliveryTo(sink));
    expect(sink.calls.map(({ slice }) => slice)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('deliverBatch: one attempt', () => {
  it('a sink that throws, synchronously or not, is retried', async () => {
    const attempts: number[] = [];
    const sink: SpanSink = {
      export: (spans) => {
        attempts.push(spans.length);
        if (attempts.length === 1) throw new Error('at once');
        if (attempts.length === 2) return Promise.reject(new Error('later'));
        return Promise.resolve({ kind: 'written' });
      },
    };
    const { delivery, retries } = watchedDelivery(sink);
    expect(await deliverBatch(batchOf(2), delivery)).toMatchObject({ kept: 2 });
    expect([attempts, retries()]).toEqual([[2, 2, 2], 2]);
  });

  it('an attempt that times out is aborted and retried, and leaves no timer', async () => {
    const scheduler = new ManualScheduler();
    const signals: (AbortSignal | undefined)[] = [];
    const sink: SpanSink = {
      export: (_, { signal } = {}) => {
        signals.push(signal);
        return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve({ kind: 'written' });
      },
    };
    const { delivery } = watchedDelivery(sink, { scheduler, exportTimeoutMillis: 1000 });
    const delivered = deliverBatch(batchOf(1), delivery);
    await scheduler.advance(999);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    await scheduler.advance(1);
    expect(await delivered).toMatchObject({ kept: 1 });
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
    expect(scheduler.pending).toEqual([]);
  });

  it('an attempt that hangs is aborted when the delivery is stopped', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const sink: SpanSink = {
      export: (_, { signal } = {}) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    };
    const { delivery, stop } = watchedDelivery(sink);
    const delivered = deliverBatch(batchOf(1), delivery);
    stop();
    expect(await delivered).toEqual({ kind: 'given_up' });
    expect(signals[0]?.aborted).toBe(true);
  });
});
