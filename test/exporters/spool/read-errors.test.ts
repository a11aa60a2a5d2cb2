import type * as fs from 'node:fs';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportOptions } from '#exporters/export-report';
import { adoptSpools } from '#spool/recovery/adopt-spools';
import type { ObservedSpan } from '#facts/observed-span';
import { temporaryFolder } from '#test/support/temporary-folder';
import { deliveryTo } from '../processor/support/delivery.ts';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

/** As in jest, where it is of another realm: no instance of the `Error` that our modules see. */
const errorOfNode = (code: string): unknown =>
  runInNewContext(`Object.assign(new Error('${code}'), { code: '${code}' })`);

/** Whether opening a file fails because the process has too many open files, or reading one with this in its path. */
const files = vi.hoisted(() => ({ areTooMany: false, unreadable: null as string | null }));
vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const openSync: typeof original.openSync = (path, flags, mode) => {
    if (files.areTooMany && flags === 'r') throw errorOfNode('EMFILE');
    if (files.unreadable !== null && flags === 'r' && String(path).includes(files.unreadable))
      throw errorOfNode('EIO');
    try {
      return original.openSync(path, flags, mode);
    } catch (error) {
      throw errorOfNode((error as NodeJS.ErrnoException).code ?? 'EIO');
    }
  };
  return { ...original, openSync };
});

/** Adopts the spools below a folder; `onClosed` is called between the recovery and the delivery. */
async function adopt(root: string, onClosed: () => void = () => undefined) {
  const [written, accounts, problems]: [ObservedSpan[], EmitterAccount[], string[]] = [[], [], []];
  const sink = {
    export: async (spans: readonly ObservedSpan[], { account }: ExportOptions = {}) => {
      written.push(...spans);
      if (account !== undefined) accounts.push(account);
      return { kind: 'written' } as const;
    },
  };
  const adopted = await adoptSpools({
    ...{ root, segmentBytes: 4096, limitBytes: 1_000_000, durability: 'system', maxBatchSize: 10, sink },
    delivery: deliveryTo(sink),
    onClosed,
    onDropped: () => undefined,
    onProblem: (message) => problems.push(message),
  });
  return { ...adopted, written, accounts, problems };
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
  it('a segment that the disk does not give back is set aside, is missing, and is no end of the log', async () => {
    const root = await temporaryFolder();
    const bench = new SpoolBench(root, { segmentBytes: 1000 });
    const spool = bench.open();
    for (let at = 0; at < 9; at += 1) {
      spool.push(spanOf(at), 0);
      spool.flushNow();
    }
    spool.close();
    files.unreadable = '0000000002.segment';
    const { written, problems, accounts } = await adopt(root);
    files.unreadable = null;
    expect(written.map(keyOf)).toEqual([0, 1, 2, 6, 7, 8].map((at) => keyOf(spanOf(at))));
    expect(problems).toEqual([expect.stringContaining('cannot be read: segment 2 (unreadable: EIO)')]);
    expect(accounts.at(-1)).toMatchObject({ isClosed: false, lastSequence: 9 });
    expect(readdirSync(`${bench.directory}.unreadable`)).toContain('0000000002.segment');
  });

  it('the newest segment of a living process is read again while the disk does not give it back', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2]) spool.push(spanOf(at), 0);
    files.unreadable = '0000000001.segment';
    expect((await bench.deliver(spool, 9, false)).isHeldUp).toBe(true);
    expect({ size: spool.size, dropped: bench.dropped }).toEqual({ size: 2, dropped: {} });
    files.unreadable = null;
    await bench.drain(spool);
    expect(bench.outside.sequences).toEqual([1, 2]);
    expect(bench.outside.accounts.at(-1)).toMatchObject({ isClosed: true });
  });

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
