import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSegment } from '#spool/format/frame';
import { listSegments, segmentPath } from '#spool/segments/segment-files';
import type { ObservedSpan } from '#facts/observed-span';
import { T } from '#test/support/spans';
import { temporaryFolder } from '#test/support/temporary-folder';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

const kindsOn = (directory: string): string[] =>
  listSegments(directory).flatMap(({ path }) =>
    readSegment(readFileSync(path)).frames.map(({ kind }) => kind),
  );
const turn = (): Promise<void> => Promise.resolve();

describe('Spool', () => {
  it('the records of one turn are written before any awaiting code continues', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2, 3]) spool.push(startOfSpan(spanOf(at)), 0);
    expect(kindsOn(bench.directory)).toEqual([]);
    await turn();
    expect(kindsOn(bench.directory)).toEqual(['started', 'started', 'started']);
    spool.push(spanOf(1), 0);
    await turn();
    expect(kindsOn(bench.directory)).toEqual(['started', 'started', 'started', 'ended']);
  });

  it('a step that ends in the turn of its start is one record', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    expect([spool.push(startOfSpan(spanOf(1)), 0), spool.push(spanOf(1), 0)]).toEqual(['queued', 'merged']);
    expect(spool.size).toBe(1);
    await turn();
    expect(kindsOn(bench.directory)).toEqual(['whole']);
    await bench.drain(spool);
    expect(bench.outside.accounts.at(-1)).toMatchObject({
      received: [],
      lastSequence: 1,
      deliveredSequence: 1,
      isClosed: true,
    });
  });

  it('accounts carry the start token of their process, also those of the process that adopts its spool', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const { epoch } = bench.open().account();
    expect(epoch).toMatch(/^[0-9a-f-]{36}$/);
    const again = new SpoolBench(await temporaryFolder()).open().account();
    expect(again.epoch, 'of another process with the same id').not.toBe(epoch);
    expect((await bench.recoverKnown()).spool.account()).toMatchObject({ isOwn: false, epoch });
  });

  it('flushNow writes the buffered records at once', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(spanOf(1), 0);
    spool.flushNow();
    expect(kindsOn(bench.directory)).toEqual(['whole']);
    await turn();
    expect(kindsOn(bench.directory)).toEqual(['whole']);
  });

  it('the records of a prefetched batch stay on disk until it is settled', async () => {
    // Above half of the limit, so that the current segment is removed as soon as all of it is delivered.
    const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 100_000, limitBytes: 1500 });
    const spool = bench.open();
    for (const at of [1, 2, 3]) spool.push(spanOf(at), 0);
    await turn();
    const [first, second] = [await spool.take(2), await spool.take(2)];
    expect([first.spans.length, first.isFull, second.spans.length, second.isFull]).toEqual([
      2,
      true,
      1,
      false,
    ]);
    expect([spool.size, spool.remainder.records]).toEqual([0, 3]);
    first.account?.(0, 2);
    spool.settle();
    expect([kindsOn(bench.directory).length, spool.remainder.records]).toEqual([3, 1]);
    second.account?.(0, 1);
    spool.settle();
    expect([kindsOn(bench.directory), spool.remainder.records]).toEqual([[], 0]);
  });

  it('delivered segments are removed, and the starts of running steps in them are rewritten', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 1000 });
    const spool = bench.open();
    const long = spanOf(0);
    spool.push(startOfSpan(long), 0);
    await turn();
    for (let at = 1; at <= 40; at += 1) {
      spool.push(spanOf(at), 0);
      await turn();
    }
    const full = spool.bytes;
    while (spool.size > 0) await bench.deliver(spool, 5);
    expect(spool.bytes).toBeLessThan(full / 4);
    expect(listSegments(bench.directory).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(spool.bytes);
    expect(kindsOn(bench.directory)).toContain('carried');
    const recovered = await bench.recover();
    expect(recovered?.closings.map(keyOf)).toEqual([keyOf(long)]);
  });

  it('batches are in the order of arrival and never larger than requested', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    const spans = Array.from({ length: 25 }, (_, at) => spanOf(at));
    for (const span of spans) spool.push(span, 0);
    const batches = [
      await bench.deliver(spool, 10),
      await bench.deliver(spool, 10),
      await bench.deliver(spool, 10),
    ];
    expect(batches.map(({ spans: taken }) => taken.length)).toEqual([10, 10, 5]);
    expect(batches.flatMap(({ spans: taken }) => taken.map(keyOf))).toEqual(spans.map(keyOf));
  });

  it('oldestQueuedAt is the arrival of the oldest record', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    expect(spool.oldestQueuedAt).toBeNull();
    spool.push(spanOf(1), 1000);
    spool.push(spanOf(2), 5000);
    await turn();
    expect(spool.oldestQueuedAt).toBe(1000);
    expect((await bench.deliver(spool, 1)).queuedAt).toBe(1000);
    expect(spool.oldestQueuedAt).toBe(5000);
  });

  it('the age of a merged step counts from its start', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(startOfSpan(spanOf(1)), 1000);
    spool.push(startOfSpan(spanOf(2)), 1000);
    spool.push(spanOf(2), 9000);
    await turn();
    await bench.deliver(spool, 1);
    expect(spool.oldestQueuedAt).toBe(1000);
  });

  it('a closed spool accepts nothing', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.close();
    expect(spool.push(spanOf(1), 0)).toBe('after_shutdown');
    expect(spool.close()).toBe(0);
  });
});

describe('Spool.surrender', () => {
  it('a spool whose folder was lost drops every later record', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(spanOf(1), 0);
    await turn();
    expect(spool.surrender()).toMatchObject({ queued: 1 });
    expect(spool.push(spanOf(2), 0)).toBe('spool_failed');
    expect(kindsOn(bench.directory)).toEqual(['whole']);
  });
});

describe('full spool', () => {
  const FULL = { limitBytes: 1500, segmentBytes: 100_000 };

  it('records that do not fit are dropped, counted by reason, and reported by number', async () => {
    const bench = new SpoolBench(await temporaryFolder(), FULL);
    const spool = bench.open();
    for (let at = 1; at <= 10; at += 1) spool.push(spanOf(at), 0);
    await turn();
    const kept = kindsOn(bench.directory).length;
    expect(bench.dropped).toEqual({ spool_full: 10 - kept });
    expect(spool.size).toBe(kept);
    await bench.drain(spool);
    const account = bench.outside.accounts[0];
    expect(account).toMatchObject({
      received: [[1, kept]],
      dropped: [[kept + 1, 10]],
      runs: [{ runId: 1, started: 10, spooled: 0, dropped: { spool_full: 10 - kept } }],
    });
  });

  it('records that were dropped are missing when the process is killed and its books are deleted', async () => {
    const bench = new SpoolBench(await temporaryFolder(), FULL);
    const spool = bench.open();
    for (let at = 1; at <= 10; at += 1) spool.push(spanOf(at), 0);
    await turn();
    const kept = kindsOn(bench.directory).length;
    rmSync(join(bench.directory, 'books'));
    const recovered = await bench.recoverKnown();
    await bench.drain(recovered.spool);
    expect(kept).toBeLessThan(10);
    const { accounts } = bench.outside;
    expect(accounts.flatMap(({ received }) => received)).toEqual([[1, kept]]);
    expect(accounts.at(-1)).toMatchObject({ lastSequence: 10, dropped: [], isClosed: true });
  });

  it('a step whose end was dropped gets a synthetic end as soon as there is room', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 1500, segmentBytes: 500 });
    const spool = bench.open();
    const open = spanOf(0);
    spool.push(startOfSpan(open), 0);
    await turn();
    for (let at = 1; at <= 5; at += 1) spool.push(spanOf(at), 0);
    await turn();
    spool.push(open, 0);
    await turn();
    expect(spool.remainder.openSteps).toBe(1);
    await bench.drain(spool);
    expect(spool.remainder).toMatchObject({ records: 0, openSteps: 0 });
    expect(bench.outside.ended.get(keyOf(open))?.attributes).toMatchObject({
      'weather.closing.reason': 'spool_full',
      'weather.step.status': 'abandoned',
    });
    expect(bench.added).toBe(1);
  });

  it('a spool that is full of delivered records makes room for the next one, and keeps the starts of running steps', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 3000, segmentBytes: 100_000 });
    const spool = bench.open();
    const running = spanOf(99);
    spool.push(startOfSpan(running), 0);
    for (const at of [1, 2]) spool.push(spanOf(at), 0);
    await bench.deliver(spool);
    expect(spool.bytes, 'too little to be removed at once').toBeGreaterThan(1000);
    for (let at = 3; at <= 40; at += 1) {
      spool.push(spanOf(at), 0);
      await bench.deliver(spool);
    }
    expect(bench.dropped).toEqual({});
    expect(bench.outside.ended.size).toBe(40);
    spool.close();
    const { closings } = await bench.recoverKnown();
    expect(closings.map(keyOf)).toEqual([keyOf(running)]);
  });

  it('a large segment is removed as soon as all of it is delivered', async () => {
    const bench = new SpoolBench(await temporaryFolder(), {
      limitBytes: 10_000_000,
      segmentBytes: 10_000_000,
    });
    const spool = bench.open();
    for (let at = 1; spool.bytes < 1_100_000; at += 1) {
      spool.push(spanOf(at), 0);
      spool.flushNow();
    }
    while (spool.size > 0) await bench.deliver(spool);
    expect(spool.bytes).toBe(0);
  });

  it('a step whose start was dropped and whose end was written is not counted as dropped', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 1500, segmentBytes: 500 });
    const spool = bench.open();
    for (let at = 1; at <= 5; at += 1) spool.push(spanOf(at), 0);
    const late = spanOf(99);
    spool.push(startOfSpan(late), 0);
    await turn();
    expect(bench.dropped['spool_full']).toBeGreaterThan(0);
    while (spool.size > 0) await bench.deliver(spool, 1);
    const before = bench.outside.accounts.at(-1)?.runs[0]?.dropped['spool_full'] ?? 0;
    spool.push(late, 0);
    await bench.drain(spool);
    expect(bench.outside.ended.has(keyOf(late))).toBe(true);
    expect(bench.outside.accounts.at(-2)?.runs[0]?.dropped['spool_full'] ?? 0).toBe(before - 1);
  });
});

describe('recoverSpool', () => {
  it('a spool is recovered at the position up to which delivery was committed', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (let at = 1; at <= 9; at += 1) spool.push(spanOf(at), 0);
    await bench.deliver(spool, 4);
    await bench.deliver(spool, 3, false);
    const successor = await bench.recoverKnown();
    await bench.drain(successor.spool);
    expect(bench.outside.ended.size).toBe(9);
    expect(bench.outside.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(bench.outside.accounts.at(-1)).toMatchObject({
      instanceId: 'instance-1',
      isOwn: false,
      isClosed: true,
    });
  });

  it('open steps are closed at the latest recorded instant, and a second recovery changes nothing', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(startOfSpan(spanOf(0)), 0);
    await turn();
    spool.push(spanOf(500, { durationMs: 250 }), 0);
    await turn();
    const first = await bench.recover();
    expect(first?.closings).toHaveLength(1);
    expect(first?.closings[0]?.endTimeUnixNano).toBe(T + 750_000_000n);
    const second = await bench.recoverKnown();
    expect(second.closings, 'the closing is on disk').toEqual([]);
    await bench.drain(second.spool);
    expect(bench.outside.ended.get(keyOf(spanOf(0)))?.attributes['weather.closing.reason']).toBe(
      'process_crash',
    );
  });

  it('open steps are closed even when the spool is full', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 1250, segmentBytes: 100_000 });
    const spool = bench.open();
    spool.push(startOfSpan(spanOf(0)), 0);
    await turn();
    for (let at = 1; at <= 6; at += 1) spool.push(spanOf(at), 0);
    await turn();
    const successor = await bench.recoverKnown();
    await bench.drain(successor.spool);
    expect(bench.outside.ended.has(keyOf(spanOf(0)))).toBe(true);
    const account = bench.outside.accounts.findLast(({ runs }) => runs.length > 0);
    expect(account?.runs).toMatchObject([{ started: 7, spooled: 0 }]);
    expect(account?.runs[0]?.dropped).toEqual({ spool_full: bench.dropped['spool_full'] });
  });

  it('all records before a torn tail are recovered', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (let at = 1; at <= 3; at += 1) {
      spool.push(spanOf(at), 0);
      await turn();
    }
    const path = segmentPath(bench.directory, 1);
    truncateSync(path, statSync(path).size - 10);
    const successor = await bench.recoverKnown();
    await bench.drain(successor.spool);
    expect([...bench.outside.ended.keys()]).toEqual([1, 2].map((at) => keyOf(spanOf(at))));
  });

  it('a lost segment leaves numbers that are never received', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 500 });
    const spool = bench.open();
    for (let at = 1; at <= 6; at += 1) {
      spool.push(spanOf(at), 0);
      await turn();
    }
    rmSync(segmentPath(bench.directory, 2));
    const successor = await bench.recoverKnown();
    await bench.drain(successor.spool);
    expect(bench.outside.accounts.at(-1)?.lastSequence).toBe(6);
    expect(bench.outside.sequences.length).toBeLessThan(6);
  });

  it('the emitter is read from the records when the books are lost, and is unknown without both', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(spanOf(1), 0);
    await turn();
    rmSync(join(bench.directory, 'books'));
    const successor = await bench.recover();
    expect(successor?.spool.account()).toMatchObject({ instanceId: 'instance-1', lastSequence: 1 });
    const empty = new SpoolBench(await temporaryFolder());
    writeFileSync(join(empty.directory, 'books'), 'no books');
    expect(await empty.recover()).toBeNull();
  });
});

type Move =
  | { readonly kind: 'start' | 'end'; readonly step: number }
  | { readonly kind: 'turn' | 'settle' | 'crash' }
  | { readonly kind: 'take'; readonly spans: number; readonly isSafe: boolean }
  | { readonly kind: 'take two'; readonly spans: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('start' as const), step: fc.nat(30) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('end' as const), step: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      spans: fc.integer({ min: 1, max: 9 }),
      isSafe: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('take two' as const), spans: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
);

/** Expects the books of the newest account to balance with the spans received by then. */
function expectBalanced({ outside }: SpoolBench): void {
  const account = outside.accounts.at(-1);
  const seen = new Set([...outside.started, ...outside.ended.keys()]);
  for (const { started, spooled, dropped } of account?.runs ?? []) {
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(started).toBe(seen.size + spooled + lost);
  }
}

describe('Spool: any sequence of events', () => {
  it.each([
    ['without a limit', 1_000_000],
    ['that is repeatedly full', 3000],
  ])('a spool %s loses no stored record, and its books balance at every report', async (_, limitBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 80 }), async (moves) => {
        const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 750, limitBytes });
        let spool = bench.open();
        const begun = new Map<number, ObservedSpan>();
        const over = new Set<number>();
        for (const next of moves) {
          if (next.kind === 'start' && !begun.has(next.step)) {
            begun.set(next.step, spanOf(next.step));
            spool.push(startOfSpan(spanOf(next.step)), 0);
          } else if (next.kind === 'end' && begun.has(next.step) && !over.has(next.step)) {
            over.add(next.step);
            spool.push(spanOf(next.step), 0);
          } else if (next.kind === 'turn') await turn();
          else if (next.kind === 'take' && spool.size > 0) {
            await bench.deliver(spool, next.spans, next.isSafe);
            if (!next.isSafe) break;
            expectBalanced(bench);
          } else if (next.kind === 'take two' && spool.size > 0) {
            await bench.deliverTwo(spool, next.spans, () => expectBalanced(bench));
            expectBalanced(bench);
          } else if (next.kind === 'crash') break;
        }
        await turn();
        spool = (await bench.recover())?.spool ?? bench.open();
        await bench.drain(spool);
        const { ended, sequences, accounts } = bench.outside;
        const dropped = accounts.flatMap(({ dropped: ranges }) => ranges);
        const lastSequence = accounts.at(-1)?.lastSequence ?? 0;
        const known = new Set(sequences);
        for (const [from, to] of dropped) for (let n = from; n <= to; n += 1) known.add(n);
        expect([...known].toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: lastSequence }, (_, i) => i + 1),
        );
        if (limitBytes === 1_000_000) expect([...ended.keys()].length).toBe(begun.size);
        expectBalanced(bench);
      }),
      { numRuns: 150, seed: 20261127 },
    );
  });
});
