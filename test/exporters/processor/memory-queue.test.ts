import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryQueue } from '#processor/memory-queue';
import { endedSpan, startOfSpan } from '#test/support/spans';

const spanOf = (at: number) => endedSpan({ step: 'query', at });

describe('MemoryQueue', () => {
  it('spans leave in the order of their arrival, never more at a time than requested', () => {
    const queue = new MemoryQueue(10);
    const spans = [1, 2, 3, 4, 5].map(spanOf);
    for (const span of spans) expect(queue.push(span, 0)).toBe('queued');
    const taken = [2, 2, 2].map((count) => {
      const batch = queue.take(count);
      queue.settle();
      return batch.spans;
    });
    expect(taken.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(taken.flat()).toEqual(spans);
    expect(queue.take(2)).toEqual({ spans: [], queuedAt: 0, isFull: false });
  });

  it('an end replaces its queued start, in its place and with its age', () => {
    const queue = new MemoryQueue(10);
    queue.push(startOfSpan(spanOf(1)), 100);
    queue.push(spanOf(2), 200);
    expect(queue.push(spanOf(1), 300)).toBe('merged');
    expect([queue.size, queue.oldestQueuedAt]).toEqual([2, 100]);
    expect(queue.take(10)).toEqual({ spans: [spanOf(1), spanOf(2)], queuedAt: 100, isFull: false });
  });

  it('an end is queued separately once its start was taken', () => {
    const queue = new MemoryQueue(10);
    queue.push(startOfSpan(spanOf(1)), 0);
    queue.take(1);
    expect(queue.push(spanOf(1), 5)).toBe('queued');
    expect([queue.size, queue.oldestQueuedAt]).toEqual([1, 5]);
  });

  it('spans beyond the capacity are dropped, spans in flight included, until those are settled', () => {
    const queue = new MemoryQueue(2);
    queue.push(spanOf(1), 0);
    queue.take(1);
    expect([queue.push(spanOf(2), 0), queue.push(spanOf(3), 0)]).toEqual(['queued', 'queue_full']);
    expect(queue.push(spanOf(2), 0), 'the end of what waits needs no room').toBe('merged');
    queue.settle();
    expect(queue.push(spanOf(3), 0)).toBe('queued');
  });

  it('close returns the number of lost spans, spans in flight included', () => {
    const queue = new MemoryQueue(10);
    for (const at of [1, 2, 3]) queue.push(spanOf(at), 0);
    queue.take(1);
    expect(queue.close()).toBe(3);
    expect([queue.size, queue.oldestQueuedAt, queue.close()]).toEqual([0, null, 0]);
  });

  it('the queue never exceeds its capacity and loses no span that it accepted', () => {
    const moves = fc.array(fc.oneof(fc.nat(30), fc.constant('take' as const)), { maxLength: 60 });
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 8 }), (all, limit) => {
        const queue = new MemoryQueue(limit);
        const [taken, accepted] = [new Set<string>(), new Set<string>()];
        for (const move of all) {
          if (move === 'take') {
            for (const { spanId } of queue.take(3).spans) taken.add(spanId);
            queue.settle();
          } else if (queue.push(spanOf(move), 0) !== 'queue_full') accepted.add(spanOf(move).spanId);
          expect(queue.size).toBeLessThanOrEqual(limit);
        }
        for (const { spanId } of queue.take(limit).spans) taken.add(spanId);
        expect([...taken].toSorted()).toEqual([...accepted].toSorted());
      }),
    );
  });
});
