import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions, ExportReport, SpanSink } from '#exporters/export-report';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import type { SpanBatch } from '#processor/span-queue';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan } from '#test/support/spans';
import { ManualScheduler } from './manual-scheduler.ts';

const spanAt = (at: number): ObservedSpan => ({ ...endedSpan({ step: 'query', at }), name: String(at) });
const namesOf = (spans: readonly ObservedSpan[]): number[] => spans.map(({ name }) => Number(name));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** A batch whose account says for which part of it was asked. */
const batchOf = (count: number): SpanBatch => ({
  spans: numbers(count).map(spanAt),
  queuedAt: 0,
  account: (from, to) => ({ received: [[from, to]] }) as unknown as EmitterAccount,
});

interface Call {
  readonly kind: 'export' | 'bury';
  readonly spans: readonly number[];
  readonly slice: readonly (readonly [number, number])[] | undefined;
  readonly answer: ExportReport['kind'];
}

/** A sink that refuses what has a poison in it, and answers otherwise first where it is told to. */
class PoisonedSink implements SpanSink {
  readonly calls: Call[] = [];
  /** What was written, or became a dead letter, in the order in which it was. */
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
    const isRefused = names.some((name) => this.#poisons.has(name));
    return this.#answer('export', names, { options, usual: isRefused ? 'rejected' : 'written' });
  }

  async writeDeadLetter(span: ObservedSpan, error: unknown, options?: ExportOptions): Promise<ExportReport> {
    expect(error).toMatchObject({ message: 'rejected' });
    const report = this.#answer('bury', namesOf([span]), { options, usual: 'written' });
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

function deliveryTo(sink: SpanSink, changes: Partial<DeliveryContext> = {}): Watched {
  const stopping = new AbortController();
  const pauses: number[] = [];
  let retries = 0;
  const delivery: DeliveryContext = {
    sink,
    scheduler: new ManualScheduler(),
    random: () => 1,
    backoff: { firstMillis: 100, maxMillis: 1000 },
    exportTimeoutMillis: null,
    signal: stopping.signal,
    isStopped: () => stopping.signal.aborted,
    onRetry: () => (retries += 1),
    pause: async (millis) => void pauses.push(millis),
    ...changes,
  };
  return { delivery, pauses, retries: () => retries, stop: () => stopping.abort() };
}

const poisoned = fc
  .integer({ min: 1, max: 40 })
  .chain((count) => fc.record({ count: fc.constant(count), poisons: fc.subarray(numbers(count)) }));

describe('a batch', () => {
  it('a batch that the sink takes is one export, with the account of all of it', async () => {
    const sink = new PoisonedSink([]);
    const { delivery } = deliveryTo(sink);
    expect(await deliverBatch(batchOf(5), delivery)).toEqual({ kind: 'settled', kept: 5, rejected: 0 });
    expect(sink.calls).toEqual([
      { kind: 'export', spans: [0, 1, 2, 3, 4], slice: [[0, 5]], answer: 'written' },
    ]);
  });

  it('a batch with poison in it has every poison written as a dead letter alone and all others written, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, async ({ count, poisons }) => {
        const sink = new PoisonedSink(poisons);
        const end = await deliverBatch(batchOf(count), deliveryTo(sink).delivery);
        expect(end).toEqual({ kind: 'settled', kept: count, rejected: 0 });
        expect(sink.deadLettered).toEqual(poisons);
        expect(sink.settled).toEqual(numbers(count));
      }),
    );
  });

  it('a batch tells with each part the account of that part, so that what is committed is what was received', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, async ({ count, poisons }) => {
        const sink = new PoisonedSink(poisons);
        await deliverBatch(batchOf(count), deliveryTo(sink).delivery);
        const written = sink.calls.filter(({ answer }) => answer === 'written');
        const slices = written.flatMap(({ slice }) => slice ?? []);
        expect(slices.map(([from]) => from)).toEqual([0, ...slices.slice(0, -1).map(([, to]) => to)]);
        expect(slices.at(-1)?.[1]).toBe(count);
        for (const { spans, slice } of written) expect(slice).toEqual([[spans[0], (spans.at(-1) ?? 0) + 1]]);
      }),
    );
  });

  it.each([1, 2, 3, 8, 500, 2000])(
    'a batch of %i spans with one poison takes two exports for each time that it can be halved, and one more',
    async (count) => {
      const most = 1 + 2 * Math.ceil(Math.log2(count));
      for (const poison of [0, Math.floor(count / 3), count - 1]) {
        const sink = new PoisonedSink([poison]);
        await deliverBatch(batchOf(count), deliveryTo(sink).delivery);
        expect(sink.calls.filter(({ kind }) => kind === 'export').length).toBeLessThanOrEqual(most);
        expect(sink.deadLettered).toEqual([poison]);
      }
    },
  );

  it('a batch waits wherever the sink is away for a while, and goes on with that very part', async () => {
    const away = fc.array(fc.constantFrom<('retryable' | undefined)[]>(['retryable'], [undefined]), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(poisoned, away, async ({ count, poisons }, answers) => {
        const [clean, troubled] = [new PoisonedSink(poisons), new PoisonedSink(poisons, answers.flat())];
        await deliverBatch(batchOf(count), deliveryTo(clean).delivery);
        const { delivery, retries, pauses } = deliveryTo(troubled);
        await deliverBatch(batchOf(count), delivery);
        const answered = troubled.calls.filter(({ answer }) => answer !== 'retryable');
        expect(answered, 'the same calls, but for those in vain').toEqual(clean.calls);
        expect(retries()).toBe(troubled.calls.length - answered.length);
        expect(pauses).toHaveLength(retries());
      }),
    );
  });

  it('a batch waits longer with each attempt, and anew for each part', async () => {
    const sink = new PoisonedSink(
      [0],
      ['retryable', 'retryable', 'retryable', 'rejected', undefined, undefined, 'retryable'],
    );
    const { delivery, pauses } = deliveryTo(sink);
    await deliverBatch(batchOf(2), delivery);
    expect(pauses).toEqual([100, 200, 400, 100]);
  });

  it('a batch that is given up in the middle ends there: nothing is asked any more, whatever is left', async () => {
    await fc.assert(
      fc.asyncProperty(poisoned, fc.nat(20), async ({ count, poisons }, calls) => {
        const all = new PoisonedSink(poisons);
        await deliverBatch(batchOf(count), deliveryTo(all).delivery);
        fc.pre(calls < all.calls.length);
        const sink = new PoisonedSink(poisons);
        const { delivery } = deliveryTo(sink, { isStopped: () => sink.calls.length > calls });
        expect(await deliverBatch(batchOf(count), delivery)).toEqual({ kind: 'given_up' });
        expect(sink.calls).toEqual(all.calls.slice(0, calls + 1));
      }),
    );
  });

  it('a batch that was given up before it began asks nobody: a sink that hangs would never be told', async () => {
    const sink = new PoisonedSink([]);
    const { delivery, stop } = deliveryTo(sink);
    stop();
    expect(await deliverBatch(batchOf(3), delivery)).toEqual({ kind: 'given_up' });
    expect(sink.calls).toEqual([]);
  });

  it('a batch that is given up during a pause is not tried again', async () => {
    const sink = new PoisonedSink([], ['retryable']);
    const watched = deliveryTo(sink, { pause: async () => watched.stop() });
    expect(await deliverBatch(batchOf(3), watched.delivery)).toEqual({ kind: 'given_up' });
    expect(sink.calls).toHaveLength(1);
  });

  it('a batch loses, and counts, what a sink neither takes nor buries', async () => {
    const sink = new PoisonedSink([1, 3]);
    const { delivery } = deliveryTo({ export: sink.export.bind(sink) });
    expect(await deliverBatch(batchOf(5), delivery)).toEqual({ kind: 'settled', kept: 3, rejected: 2 });
    expect(sink.settled).toEqual([0, 2, 4]);
  });

  it('a batch loses, and counts, a span of which even the letter is refused, and waits for one that may be taken later', async () => {
    const refusing = new PoisonedSink([0], [undefined, 'rejected']);
    expect(await deliverBatch(batchOf(1), deliveryTo(refusing).delivery)).toMatchObject({
      kept: 0,
      rejected: 1,
    });
    const away = new PoisonedSink([0], [undefined, 'retryable']);
    expect(await deliverBatch(batchOf(1), deliveryTo(away).delivery)).toMatchObject({ kept: 1, rejected: 0 });
    expect(away.calls.map(({ kind }) => kind)).toEqual(['export', 'bury', 'bury']);
  });

  it('a batch without spans ends when its account is refused, and no span is counted for it', async () => {
    const sink = new PoisonedSink([], ['rejected']);
    const end = await deliverBatch(batchOf(0), deliveryTo(sink).delivery);
    expect(end).toEqual({ kind: 'settled', kept: 0, rejected: 0 });
    expect(sink.calls).toHaveLength(1);
  });

  it('a batch of which nobody keeps books is told without an account', async () => {
    const sink = new PoisonedSink([0]);
    await deliverBatch({ spans: batchOf(2).spans, queuedAt: 0 }, deliveryTo(sink).delivery);
    expect(sink.calls.map(({ slice }) => slice)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('an attempt', () => {
  it('an attempt at which the sink throws is made again, also when it throws at once', async () => {
    const attempts: number[] = [];
    const sink: SpanSink = {
      export: (spans) => {
        attempts.push(spans.length);
        if (attempts.length === 1) throw new Error('at once');
        if (attempts.length === 2) return Promise.reject(new Error('later'));
        return Promise.resolve({ kind: 'written' });
      },
    };
    const { delivery, retries } = deliveryTo(sink);
    expect(await deliverBatch(batchOf(2), delivery)).toMatchObject({ kept: 2 });
    expect([attempts, retries()]).toEqual([[2, 2, 2], 2]);
  });

  it('an attempt that takes too long is aborted and made again, and leaves no timer', async () => {
    const scheduler = new ManualScheduler();
    const signals: (AbortSignal | undefined)[] = [];
    const sink: SpanSink = {
      export: (_, { signal } = {}) => {
        signals.push(signal);
        return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve({ kind: 'written' });
      },
    };
    const { delivery } = deliveryTo(sink, { scheduler, exportTimeoutMillis: 1000 });
    const delivered = deliverBatch(batchOf(1), delivery);
    await scheduler.advance(999);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    await scheduler.advance(1);
    expect(await delivered).toMatchObject({ kept: 1 });
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
    expect(scheduler.pending).toEqual([]);
  });

  it('an attempt that hangs is aborted when everything is given up', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const sink: SpanSink = {
      export: (_, { signal } = {}) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    };
    const { delivery, stop } = deliveryTo(sink);
    const delivered = deliverBatch(batchOf(1), delivery);
    stop();
    expect(await delivered).toEqual({ kind: 'given_up' });
    expect(signals[0]?.aborted).toBe(true);
  });
});
