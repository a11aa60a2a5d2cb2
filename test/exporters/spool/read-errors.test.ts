import type * as fs from 'node:fs';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { adoptSpools } from '#spool/recovery/adopt-spools';
import type { ObservedSpan } from '#facts/observed-span';
import { temporaryFolder } from '#test/support/temporary-folder';
import { deliveryTo } from '../processor/support/delivery.ts';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

/** Whether opening a file fails because the process has too many open files. */
const files = vi.hoisted(() => ({ areTooMany: false }));
vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const openSync: typeof original.openSync = (path, flags, mode) => {
    if (files.areTooMany && flags === 'r')
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    return original.openSync(path, flags, mode);
  };
  return { ...original, openSync };
});

/** Adopts the spools below a folder; `onClosed` is called between the recovery and the delivery. */
async function adopt(root: string, onClosed: () => void = () => undefined) {
  const written: ObservedSpan[] = [];
  const sink = {
    export: async (spans: readonly ObservedSpan[]) => {
      written.push(...spans);
      return { kind: 'written' } as const;
    },
  };
  const adopted = await adoptSpools({
    ...{ root, segmentBytes: 4096, limitBytes: 1_000_000, durability: 'system', maxBatchSize: 10, sink },
    delivery: deliveryTo(sink),
    onClosed,
    onDropped: () => undefined,
    onProblem: () => undefined,
  });
  return { ...adopted, written };
}

describe('transient read errors', () => {
  it('records of files that cannot be opened now are delivered later, each once', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 1000 });
    const spool = bench.open();
    for (const at of [1, 2, 3]) {
      spool.push(spanOf(at), 0);
      spool.flushNow();
    }
    files.areTooMany = true;
    expect((await bench.deliver(spool)).spans).toEqual([]);
    expect({ size: spool.size, dropped: bench.dropped }).toEqual({ size: 3, dropped: {} });
    files.areTooMany = false;
    await bench.drain(spool);
    expect(bench.outside.sequences).toEqual([1, 2, 3]);
    expect(bench.dropped).toEqual({});
  });

  it.each(['find its emitter', 'recover it', 'deliver it'])(
    'a spool whose files cannot be opened to %s stays, and is adopted later without loss',
    async (when) => {
      const root = await temporaryFolder();
      const bench = new SpoolBench(root);
      const spool = bench.open();
      spool.push(startOfSpan(spanOf(0)), 0);
      spool.push(spanOf(1), 0);
      spool.close();
      if (when === 'find its emitter') rmSync(join(bench.directory, 'books'));
      files.areTooMany = when !== 'deliver it';
      expect(await adopt(root, () => (files.areTooMany = true))).toMatchObject({ spools: 0, written: [] });
      expect(readdirSync(root)).toEqual(['spool']);
      files.areTooMany = false;
      const { spools, written } = await adopt(root);
      expect(spools).toBe(1);
      expect(written.map(keyOf)).toEqual([0, 1, 0].map((at) => keyOf(spanOf(at))));
      expect(readdirSync(root)).toEqual([]);
    },
  );
});

describe('permanent read errors', () => {
  it('the records of a removed folder are counted as dropped without an error', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2]) spool.push(spanOf(at), 0);
    spool.flushNow();
    rmSync(bench.directory, { recursive: true });
    expect((await bench.deliver(spool)).spans).toEqual([]);
    expect({ size: spool.size, dropped: bench.dropped }).toEqual({ size: 0, dropped: { spool_failed: 2 } });
  });
});
