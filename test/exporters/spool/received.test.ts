import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { SenderShares } from '#spool/sender-shares';
import { GroupSync } from '#spool/segments/group-sync';
import { temporaryFolder } from '#test/support/temporary-folder';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

/** A span of a program that Barograph did not write. */
const received = (at: number): ObservedSpan => ({
  ...spanOf(at),
  resource: { 'service.instance.id': 'sender-1', 'weather.validator.hotkey': '5Other' },
});

describe('spans that a spool receives', () => {
  it('spans that a spool receives are delivered as they came, and counted in no run of its emitter', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    expect(spool.receive([received(1), received(2)], 0)).toBe('written');
    expect([spool.size, spool.account().runs]).toEqual([2, []]);
    const { spans } = await bench.deliver(spool);
    expect(spans).toEqual([received(1), received(2)]);
    expect(bench.outside.accounts.at(-1)).toMatchObject({ lastSequence: 2, deliveredSequence: 2, runs: [] });
  });

  it('spans that a spool receives survive the death of its process between the answer and the commit', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.receive([received(1), startOfSpan(received(2))], 0);
    await spool.synced();
    const recovered = await bench.recoverKnown();
    expect(recovered.spool.size).toBe(2);
    await bench.drain(recovered.spool);
    expect([...bench.outside.ended.keys()]).toEqual([keyOf(received(1))]);
  });

  it('the start of a step of another program is not closed by the adoption of the spool that received it', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    bench.open().receive([startOfSpan(received(1))], 0);
    const { spool, closings } = await bench.recoverKnown();
    expect(closings).toEqual([]);
    await bench.drain(spool);
    expect([bench.outside.started.size, bench.outside.ended.size]).toEqual([1, 0]);
  });

  it('a spool that is full takes all spans of a request or none, and leaves no number unused', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 2000 });
    const spool = bench.open();
    expect(spool.receive([received(1)], 0)).toBe('written');
    const many = Array.from({ length: 50 }, (_, at) => received(at + 2));
    expect(spool.receive(many, 0)).toBe('spool_full');
    expect(spool.receive([received(99)], 0)).toBe('written');
    await bench.drain(spool);
    expect(bench.outside.accounts.at(-1)).toMatchObject({ lastSequence: 2, isClosed: true });
    expect(bench.dropped).toEqual({});
  });

  it('a span that exceeds the largest record is refused without a trace', async () => {
    const spool = new SpoolBench(await temporaryFolder(), { limitBytes: 100_000_000 }).open();
    const large = { ...received(1), statusMessage: 'x'.repeat(17 * 1024 * 1024) };
    expect(spool.receive([large], 0)).toBe('too_large');
    expect([spool.size, spool.progress.written]).toEqual([0, 0]);
  });
});

describe('the shares of senders', () => {
  it('a sender that has used up its share has room again when its spans are delivered, and others have theirs', () => {
    const shares = new SenderShares();
    const spool = { progress: { written: 0, delivered: 0 } };
    const greedy = { name: 'a', shareBytes: 100 };
    for (const written of [10, 20]) {
      spool.progress.written = written;
      expect(shares.hasRoom(greedy)).toBe(true);
      shares.add(spool, greedy, 60);
    }
    expect([shares.hasRoom(greedy), shares.hasRoom({ name: 'b', shareBytes: 100 })]).toEqual([false, true]);
    spool.progress.delivered = 9;
    expect(shares.hasRoom(greedy)).toBe(false);
    spool.progress.delivered = 10;
    expect(shares.hasRoom(greedy)).toBe(true);
  });
});

describe('syncs in groups', () => {
  it('calls that come while a sync runs share the next one, and none counts a sync that began before it', async () => {
    const ends: (() => void)[] = [];
    const group = new GroupSync(() => new Promise((resolve) => ends.push(resolve)));
    const settled: number[] = [];
    const call = (number: number) => group.next().then(() => settled.push(number));
    const calls = [call(1), call(2)];
    await Promise.resolve();
    await Promise.resolve();
    expect(ends).toHaveLength(1);
    calls.push(call(3), call(4));
    ends[0]?.();
    await calls[0];
    await new Promise(setImmediate);
    expect([settled, ends.length]).toEqual([[1, 2], 2]);
    ends[1]?.();
    await Promise.all(calls);
    expect([settled, group.isIdle]).toEqual([[1, 2, 3, 4], true]);
  });

  it('a sync that fails fails its calls alone', async () => {
    let syncs = 0;
    const group = new GroupSync(async () => {
      syncs += 1;
      if (syncs === 1) await Promise.reject(new Error('EIO'));
    });
    await expect(group.next()).rejects.toThrow('EIO');
    await expect(group.next()).resolves.toBeUndefined();
  });
});
