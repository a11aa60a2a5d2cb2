import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenSteps, type OpenStep } from '#spool/open-steps';
import { endedSpan, startOfSpan } from '#test/support/spans';

const spanOf = (at: number, ids: { readonly spanId?: string; readonly traceId?: string } = {}) =>
  endedSpan({ step: 'query', at, ...ids });
const stepOf = (at: number, changes: Partial<OpenStep> = {}): OpenStep => ({
  started: startOfSpan(spanOf(at)),
  sequence: at,
  run: null,
  bufferIndex: null,
  segment: 1,
  dropped: null,
  ...changes,
});
const DROPPED = stepOf(9, { segment: null, dropped: 'spool_full' });

describe('OpenSteps', () => {
  it('a step is found from its start to its end, by trace and span id', () => {
    const open = new OpenSteps();
    open.set(stepOf(1));
    expect([open.size, open.get(spanOf(1))?.sequence, open.get(spanOf(2))]).toEqual([1, 1, undefined]);
    expect(open.get({ ...spanOf(1), traceId: 'f'.repeat(32) }), 'another trace').toBeUndefined();
    open.delete(spanOf(1));
    expect([open.size, open.get(spanOf(1))]).toEqual([0, undefined]);
  });

  it('every open step is found after any inserts and deletes, even with colliding hashes', () => {
    // The last eight digits, which are hashed, have few values: nearly all ids collide.
    const id = fc
      .integer({ min: 0, max: 1999 })
      .map((number) => `${String(number).padStart(8, '0')}0000000${number % 3}`);
    const move = fc.record({ spanId: id, isEnd: fc.boolean() });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 3000, minLength: 1000, size: 'max' }), (moves) => {
        const open = new OpenSteps();
        const known = new Map<string, number>();
        moves.forEach(({ spanId, isEnd }, sequence) => {
          const started = startOfSpan(spanOf(1, { spanId }));
          if (isEnd) {
            open.delete(started);
            known.delete(spanId);
          } else {
            open.set(stepOf(1, { started, sequence }));
            known.set(spanId, sequence);
          }
        });
        const sequences = [...known.values()].sort((a, b) => a - b);
        expect(open.size).toBe(known.size);
        expect(open.onDisk().map(({ sequence }) => sequence)).toEqual(sequences);
        for (const [spanId, sequence] of known)
          expect(open.get(spanOf(1, { spanId }))?.sequence).toBe(sequence);
      }),
      { numRuns: 5 },
    );
  });

  it('a step without a start on disk is not closed', () => {
    const open = new OpenSteps();
    open.set(stepOf(1));
    open.set(DROPPED);
    expect(open.onDisk().map(({ sequence }) => sequence)).toEqual([1]);
  });

  it('startedUpTo returns the steps whose newest start lies in the segment or before it', () => {
    const open = new OpenSteps();
    open.set(stepOf(3, { segment: 3 }));
    open.set(stepOf(1, { segment: 1 }));
    open.set(stepOf(2, { segment: 2 }));
    open.set(DROPPED);
    expect(open.startedUpTo(2).map(({ sequence }) => sequence)).toEqual([1, 2]);
    for (const step of open.startedUpTo(2)) step.segment = 4;
    expect(open.startedUpTo(2), 'compaction has rewritten them').toEqual([]);
  });
});
