import { readdirSync, rmSync } from 'node:fs';
import type * as promises from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { adoptSpools } from '#spool/recovery/adopt-spools';
import type { ObservedSpan } from '#facts/observed-span';
import { temporaryFolder } from '#test/support/temporary-folder';
import { ManualScheduler } from '../processor/manual-scheduler.ts';
import { keyOf, spanOf, SpoolBench, startOfSpan } from './support/spool-bench.ts';

/** Whether the process has too many files open, as one with many connections may have for a while. */
const files = vi.hoisted(() => ({ areTooMany: false }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof promises>();
  const open: typeof original.open = (...place) => {
    const error = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    return files.areTooMany ? Promise.reject(error) : original.open(...place);
  };
  return { ...original, open };
});

/** Takes over the spools below a folder; `onClosed` is when steps were closed and nothing is delivered yet. */
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
    delivery: {
      sink,
      scheduler: new ManualScheduler(),
      random: () => 1,
      backoff: { firstMillis: 1, maxMillis: 1 },
      exportTimeoutMillis: null,
      signal: new AbortController().signal,
      isStopped: () => false,
      onRetry: () => undefined,
      pause: async () => undefined,
    },
    onClosed,
    onDropped: () => undefined,
    onProblem: () => undefined,
  });
  return { ...adopted, written };
}

describe('a spool whose files cannot be opened now', () => {
  it('a spool whose files cannot be opened now gives nothing now and loses nothing: its records are given later, each once', async () => {
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

  it.each(['find whose it is', 'take it over', 'deliver it'])(
    'a spool whose files cannot be opened now stays when they cannot be opened to %s, and is taken over later with all that is in it',
    async (when) => {
      const root = await temporaryFolder();
      const bench = new SpoolBench(root);
      const spool = bench.open();
      spool.push(startOfSpan(spanOf(0)), 0);
      spool.push(spanOf(1), 0);
      spool.close();
      if (when === 'find whose it is') rmSync(join(bench.directory, 'books'));
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

describe('a spool whose folder somebody removed', () => {
  it('a spool whose folder somebody removed counts what is lost with it, and fails nobody', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2]) spool.push(spanOf(at), 0);
    spool.flushNow();
    rmSync(bench.directory, { recursive: true });
    expect((await bench.deliver(spool)).spans).toEqual([]);
    expect({ size: spool.size, dropped: bench.dropped }).toEqual({ size: 0, dropped: { spool_failed: 2 } });
  });
});
