import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_PAYLOAD_BYTES, readSegment } from '#spool/format/frame';
import type { SpoolOptions } from '#spool/spool';
import { listSegments } from '#spool/segments/segment-files';
import { toPayload } from '#spool/format/spool-record';
import { temporaryFolder } from '#test/support/temporary-folder';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

const numbersOn = (directory: string): number[] =>
  listSegments(directory).flatMap(({ path }) =>
    readSegment(readFileSync(path))
      .frames.filter(({ kind }) => kind !== 'carried')
      .map(({ sequence }) => sequence),
  );
const turn = (): Promise<void> => Promise.resolve();

/** A full spool with an open step and some records that can be delivered. */
async function fullBench(limits: Partial<SpoolOptions> = {}) {
  const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 1500, segmentBytes: 500, ...limits });
  const spool = bench.open();
  const open = spanOf(0);
  spool.push(startOfSpan(open), 0);
  await turn();
  for (let at = 1; at <= 5; at += 1) spool.push(spanOf(at), 0);
  await turn();
  return { bench, spool, open };
}

describe('SpoolWriter', () => {
  it('a pending closing is written behind the buffered records, so that numbers ascend', async () => {
    const { bench, spool, open } = await fullBench({ limitBytes: 1750, segmentBytes: 250 });
    spool.push(open, 0);
    await turn();
    await spool.take(1000);
    spool.push(spanOf(50), 0);
    spool.settle();
    await turn();
    const numbers = numbersOn(bench.directory);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    await bench.drain(spool);
    expect(bench.outside.ended.get(keyOf(open))?.attributes['weather.closing.reason']).toBe('spool_full');
  });

  it('the recovery of a dropped step is in the books before a crash can lose it', async () => {
    const { bench, spool } = await fullBench();
    const late = spanOf(99);
    spool.push(startOfSpan(late), 0);
    await turn();
    const lost = bench.dropped['spool_full'] ?? 0;
    while (spool.size > 0) await bench.deliver(spool, 1);
    spool.push(late, 0);
    await turn();
    const successor = await bench.recover();
    expect(successor?.spool.account().runs).toMatchObject([
      { started: 7, spooled: 1, dropped: { spool_full: lost - 1 } },
    ]);
  });

  it('a closing that exceeds the record size is counted as dropped and blocks no flush', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { limitBytes: 2 ** 26, segmentBytes: 2 ** 26 });
    const spool = bench.open();
    const plain = startOfSpan(spanOf(0));
    const name = 'x'.repeat(MAX_PAYLOAD_BYTES / 2);
    const room = MAX_PAYLOAD_BYTES - toPayload({ ...plain, name }).length;
    const start = { ...plain, name: name + 'x'.repeat(room) };
    spool.push(start, 0);
    await turn();
    spool.push(
      { ...start, phase: 'ended', endTimeUnixNano: start.startTimeUnixNano, statusMessage: 'long' },
      0,
    );
    await turn();
    expect(bench.dropped).toEqual({ too_large: 1 });
    await bench.drain(spool);
    expect({ added: bench.added, dropped: bench.dropped }).toEqual({ added: 1, dropped: { too_large: 2 } });
    expect(spool.remainder).toMatchObject({ records: 0, openSteps: 0 });
  });
});

describe('Spool.account', () => {
  it('a heartbeat has no runs while a batch is in flight: they would overwrite newer counts', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2]) spool.push(spanOf(at), 0);
    const batch = await spool.take(1000);
    expect(batch.account?.(0, 2).runs).toMatchObject([{ started: 2, spooled: 0 }]);
    spool.push(spanOf(3), 0);
    expect(spool.account()).toMatchObject({ lastSequence: 3, deliveredSequence: 0, runs: [] });
    spool.settle();
    expect(spool.account()).toMatchObject({
      lastSequence: 3,
      deliveredSequence: 2,
      runs: [{ started: 3, spooled: 1 }],
    });
  });
});

describe('Spool.settle', () => {
  it('a batch that is settled after close changes no file: the folder may be adopted by then', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    spool.push(spanOf(1), 0);
    await spool.take(1000);
    spool.close();
    spool.settle();
    const successor = await bench.recover();
    expect(successor?.spool.size).toBe(1);
  });
});
