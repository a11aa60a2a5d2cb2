import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BooksFile, readBooks } from '#spool/books/books-file';
import type { LedgerState } from '#spool/books/ledger';
import { temporaryFolder } from '#test/support/temporary-folder';
import { EMITTER } from '../support/spool-bench.ts';

/** Bytes of a slot, as the format fixes them. */
const SLOT_BYTES = 32 * 1024;
const state = (upTo: number): LedgerState => ({
  upTo,
  dropped: [[1, upTo]],
  runs: [['5Validator', upTo, 3, { spool_full: 1 }]],
});
const pathIn = (folder: string): string => join(folder, 'books');

describe('the books of a spool', () => {
  it('the books of a spool give back the newest of what was written, whatever it is', async () => {
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
  ])(
    'the books of a spool torn at any byte while their %s copy is written are still there, as of the turn before',
    async (_, writes) => {
      const folder = await temporaryFolder();
      const books = new BooksFile(folder, EMITTER);
      // The constructor writes nothing; the last turn is the one that is torn.
      for (let turn = 1; turn < writes; turn += 1) books.write(state(turn));
      const before = readFileSync(pathIn(folder));
      books.write(state(writes));
      const after = readFileSync(pathIn(folder));
      books.close();
      const from = (writes % 2) * SLOT_BYTES;
      const upTos = new Map<number, number>();
      for (let cut = from; cut <= from + 400; cut += 1) {
        writeFileSync(pathIn(folder), Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
        const found = readBooks(folder)?.ledger.upTo ?? 0;
        upTos.set(found, (upTos.get(found) ?? 0) + 1);
      }
      expect([...upTos.keys()]).toEqual([writes - 1, writes]);
      expect(upTos.get(writes - 1), 'nearly the whole copy has to be there').toBeGreaterThan(100);
    },
  );

  it('the books of a spool with any one bit flipped are those of one of the last two turns, never others', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    for (const turn of [1, 2]) books.write(state(turn));
    books.close();
    const bytes = readFileSync(pathIn(folder));
    const written = [1, 2].map((turn) => ({ emitter: EMITTER, ledger: state(turn) }));
    for (const from of [0, SLOT_BYTES]) {
      for (let at = from; at < from + 200; at += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(pathIn(folder), damaged);
        expect(written).toContainEqual(readBooks(folder));
      }
    }
  });

  it('the books of a spool go on behind the turns of the process before, so that an heir overrules it', async () => {
    const folder = await temporaryFolder();
    const first = new BooksFile(folder, EMITTER);
    for (const turn of [1, 2, 3]) first.write(state(turn));
    first.close();
    const second = new BooksFile(folder, EMITTER);
    expect(readBooks(folder)?.ledger.upTo, 'opening changes nothing').toBe(3);
    second.write(state(4));
    second.close();
    expect(readBooks(folder)?.ledger.upTo).toBe(4);
  });

  it('the books of a spool have their full size from the beginning: on a full disk none could be written', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    expect(statSync(pathIn(folder)).size).toBe(2 * SLOT_BYTES);
    books.write(state(1));
    books.close();
    expect(statSync(pathIn(folder)).size).toBe(2 * SLOT_BYTES);
  });

  it('the books of a spool with ten thousand runs fit into their place, and keep the newest', async () => {
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

  it('the books of a spool with ten thousand losses keep the newest, which are the least likely to have been told', async () => {
    const folder = await temporaryFolder();
    const books = new BooksFile(folder, EMITTER);
    const dropped = Array.from({ length: 10_000 }, (_, at) => [2 * at + 1, 2 * at + 1] as const);
    books.write({ upTo: 20_000, dropped, runs: [] });
    books.close();
    const kept = readBooks(folder)?.ledger.dropped ?? [];
    expect(kept.length).toBeGreaterThan(500);
    expect(kept).toEqual(dropped.slice(-kept.length));
  });

  it('the books of a spool of an emitter whose name alone exceeds them are refused, instead of being tried for ever', async () => {
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
  ])('the books of a spool cannot be read from a file of %s, and are begun anew', async (_, content) => {
    const folder = await temporaryFolder();
    writeFileSync(pathIn(folder), content);
    expect(readBooks(folder)).toBeNull();
    const books = new BooksFile(folder, EMITTER);
    books.write(state(1));
    books.close();
    expect(readBooks(folder)?.ledger.upTo).toBe(1);
  });

  it('the books of a spool are none where there is no file', async () => {
    expect(readBooks(await temporaryFolder())).toBeNull();
  });
});
