import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BooksFile, readBooks } from '#spool/books/books-file';
import type { LedgerState } from '#spool/books/ledger';
import { temporaryFolder } from '#test/support/temporary-folder';
import { EMITTER } from '../support/spool-bench.ts';

/** Size of a slot, part of the format. */
const SLOT_BYTES = 32 * 1024;
const state = (upTo: number): LedgerState => ({
  upTo,
  dropped: [[1, upTo]],
  runs: [['5Validator', upTo, 3, { spool_full: 1 }]],
});
const pathIn = (folder: string): string => join(folder, 'books');

describe('BooksFile', () => {
  it('the newest state is read back', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    const run = fc.tuple(
      fc.string({ unit: 'binary' }),
      fc.nat(),
      fc.nat(),
      fc.dictionary(fc.constantFrom('spool_full', 'disk_full'), fc.integer(), { noNullPrototype: true }),
    );
    const states = fc.record({
      upTo: fc.nat(),
      dropped: fc.array(fc.tuple(fc.nat(), fc.nat())),
      runs: fc.array(run),
    });
    fc.assert(
      fc.property(states, (ledger) => {
        books.write(ledger);
        expect(readBooks(folder)).toEqual({ emitter: EMITTER, ledger });
      }),
      { numRuns: 50 },
    );
    books.close();
  });

  it.each([
    ['first', 3],
    ['second', 4],
  ])('a write of the %s slot that is torn at any byte leaves the previous state', async (_, generations) => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    // The constructor writes no state; the last generation is the torn one.
    for (let generation = 1; generation < generations; generation += 1) books.write(state(generation));
    const before = readFileSync(pathIn(folder));
    books.write(state(generations));
    const after = readFileSync(pathIn(folder));
    books.close();
    const from = (generations % 2) * SLOT_BYTES;
    const upTos = new Map<number, number>();
    for (let cut = from; cut <= from + 400; cut += 1) {
      writeFileSync(pathIn(folder), Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
      const found = readBooks(folder)?.ledger.upTo ?? 0;
      upTos.set(found, (upTos.get(found) ?? 0) + 1);
    }
    expect([...upTos.keys()]).toEqual([generations - 1, generations]);
    expect(upTos.get(generations - 1), 'nearly the whole slot has to be written').toBeGreaterThan(100);
  });

  it('a flipped bit yields one of the last two states, never another', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    for (const generation of [1, 2]) books.write(state(generation));
    books.close();
    const bytes = readFileSync(pathIn(folder));
    const written = [1, 2].map((upTo) => ({ emitter: EMITTER, ledger: state(upTo) }));
    for (const from of [0, SLOT_BYTES]) {
      for (let at = from; at < from + 200; at += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(pathIn(folder), damaged);
        expect(written).toContainEqual(readBooks(folder));
      }
    }
  });

  it('a reopened file continues the generations, so that the adopter’s state is the newest', async () => {
    const folder = await temporaryFolder();
    const first = new BooksFile(folder, EMITTER);
    for (const generation of [1, 2, 3]) first.write(state(generation));
    first.close();
    const second = new BooksFile(folder, EMITTER);
    expect(readBooks(folder)?.ledger.upTo, 'opening changes nothing').toBe(3);
    second.write(state(4));
    second.close();
    expect(readBooks(folder)?.ledger.upTo).toBe(4);
  });

  it('the file is preallocated, so that it can be written on a full disk', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    expect(statSync(pathIn(folder)).size).toBe(2 * SLOT_BYTES);
    books.write(state(1));
    books.close();
    expect(statSync(pathIn(folder)).size).toBe(2 * SLOT_BYTES);
  });

  it('ten thousand runs are cut to the newest that fit', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    const runs = Array.from({ length: 10_000 }, (_, at) => ['5Validator', at, 7, {}] as const);
    books.write({ upTo: 10_000, dropped: [], runs });
    books.close();
    const kept = readBooks(folder)?.ledger.runs ?? [];
    expect(kept.length).toBeGreaterThan(500);
    expect(kept).toEqual(runs.slice(0, kept.length));
    expect(statSync(pathIn(folder)).size).toBe(2 * SLOT_BYTES);
  });

  it('ten thousand dropped ranges are cut to the newest, the least likely to be reported already', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    const dropped = Array.from({ length: 10_000 }, (_, at) => [2 * at + 1, 2 * at + 1] as const);
    books.write({ upTo: 20_000, dropped, runs: [] });
    books.close();
    const kept = readBooks(folder)?.ledger.dropped ?? [];
    expect(kept.length).toBeGreaterThan(500);
    expect(kept).toEqual(dropped.slice(-kept.length));
  });

  it('an emitter whose name does not fit throws a RangeError instead of looping', async () => {
    const books = new BooksFile(await temporaryFolder(), {
      ...EMITTER,
      validatorHotkey: 'x'.repeat(SLOT_BYTES),
    });
    expect(() => books.write(state(1))).toThrow(RangeError);
    books.close();
  });

  it.each([
    ['nothing', ''],
    ['something else', 'no books'],
    ['zeros', '\0'.repeat(2 * SLOT_BYTES)],
  ])('a file of %s holds no books, and the next write starts anew', async (_, content) => {
    const folder = await temporaryFolder();
    writeFileSync(pathIn(folder), content);
    expect(readBooks(folder)).toBeNull();
    const books = new BooksFile(folder, EMITTER);
    books.write(state(1));
    books.close();
    expect(readBooks(folder)?.ledger.upTo).toBe(1);
  });

  it('a missing file holds no books', async () => {
    expect(readBooks(await temporaryFolder())).toBeNull();
  });
});
