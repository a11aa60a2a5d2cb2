import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpanSink } from '#exporters/export-report';
import { BatchFeed } from '#processor/batch-feed';
import { MemoryQueue } from '#processor/memory-queue';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan } from '#test/support/spans';

const spansOf = (count: number): readonly ObservedSpan[] =>
  Array.from({ length: count }, (_, at) => endedSpan({ step: 'query', at }));

function rig(spans: readonly ObservedSpan[], maxSpans: number) {
  const queue = new MemoryQueue(1000);
  for (const [at, span] of spans.entries()) queue.push(span, at);
  const prepared: (readonly ObservedSpan[])[] = [];
  const sink: SpanSink = {
    export: () => Promise.resolve({ kind: 'written' }),
    prepare: (batch) => void prepared.push(batch),
  };
  return { queue, prepared, feed: new BatchFeed(queue, sink, maxSpans) };
}

describe('BatchFeed', () => {
  it('the next batch is prefetched and prepared behind a full one, if it is full as well', async () => {
    const { queue, prepared, feed } = rig(spansOf(5), 2);
    const first = await feed.next();
    await Promise.resolve();
    expect([feed.isAhead, queue.size, feed.size, feed.oldestQueuedAt]).toEqual([true, 1, 4, 0]);
    feed.settle();
    expect([feed.size, feed.oldestQueuedAt]).toEqual([2, 2]);
    const second = await feed.next();
    expect(prepared).toHaveLength(1);
    expect(prepared[0], 'the same array that is exported then').toBe(second.spans);
    expect(feed.isAhead, 'what is left may still grow').toBe(false);
    feed.settle();
    const third = await feed.next();
    feed.settle();
    expect([first, second, third].map(({ spans }) => spans.length)).toEqual([2, 2, 1]);
    expect([feed.size, feed.oldestQueuedAt]).toEqual([0, null]);
  });

  it('a batch of a blocked queue is not counted as in flight', async () => {
    const { queue } = rig(spansOf(1), 2);
    const blocked = { spans: [], queuedAt: 0, isHeldUp: true };
    const feed = new BatchFeed(
      Object.assign(queue, { take: () => blocked }),
      { export: () => Promise.resolve({ kind: 'written' }) },
      2,
    );
    expect(await feed.next()).toBe(blocked);
    expect([feed.size, feed.isAhead, queue.size]).toEqual([0, false, 1]);
  });

  it('every span is delivered once and in order, whatever is queued while batches are in flight', async () => {
    const arrivals = fc.array(fc.nat(9), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 5 }), async (waves, maxSpans) => {
        const spans = spansOf(waves.reduce((sum, count) => sum + count, 0));
        const { queue, feed } = rig([], maxSpans);
        const got: ObservedSpan[] = [];
        const sizes: number[] = [];
        let pushed = 0;
        for (const count of [...waves, 0]) {
          for (const span of spans.slice(pushed, pushed + count)) queue.push(span, 0);
          pushed += count;
          while (queue.size >= maxSpans || feed.isAhead || (pushed === spans.length && queue.size > 0)) {
            const { spans: batch } = await feed.next();
            got.push(...batch);
            sizes.push(batch.length);
            feed.settle();
          }
        }
        expect(got).toEqual(spans);
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(maxSpans);
      }),
    );
  });
});
