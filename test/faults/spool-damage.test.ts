import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { canonicalJson } from '#postgres/projections/canonical-json';
import { segmentPath } from '#spool/segments/segment-files';
import { createRandom, deriveSeed } from '#world';
import { SpoolBench, spanOf } from '../exporters/spool/support/spool-bench.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';

const RECORDS = 12;
const FLIPS = wholeNumberOf('BAROGRAPH_FAULT_BIT_FLIPS', 1000);
/** Every so many bytes the file is cut; 1 in the full form. */
const CUT_EVERY = wholeNumberOf('BAROGRAPH_FAULT_CUT_EVERY', 13);

let written: Buffer;
let place: string;
const spans: readonly ObservedSpan[] = Array.from({ length: RECORDS }, (_, at) => spanOf(at));
/** What may become a row, and nothing else. */
const rows = new Set(spans.map((span) => canonicalJson(translate(span))));

/** A spool of a dead process: its only file, and its books. */
beforeAll(async () => {
  place = join(tmpdir(), `barograph-damage-${process.pid}`);
  const bench = new SpoolBench(place, { segmentBytes: 1_000_000 });
  const spool = bench.open();
  for (const span of spans) {
    spool.push(span, 0);
    await Promise.resolve();
  }
  spool.close();
  written = readFileSync(segmentPath(bench.directory, 1));
  return () => rmSync(place, { recursive: true, force: true });
});

/** Recovers a copy of the spool after `damage`. @returns the delivered, wrong and missing records */
async function outcomeOf(damage: (path: string) => void) {
  const bench = new SpoolBench(await temporaryFolder());
  mkdirSync(bench.directory, { recursive: true });
  copyFileSync(join(place, 'spool', 'books'), join(bench.directory, 'books'));
  const path = segmentPath(bench.directory, 1);
  writeFileSync(path, written);
  damage(path);
  const inherited = await bench.recover();
  if (inherited === null) throw new Error('The spool has books, but was not recovered.');
  await bench.drain(inherited.spool);
  inherited.spool.close();
  const { ended, sequences, accounts } = bench.outside;
  const delivered = [...ended.values()];
  rmSync(bench.directory, { recursive: true });
  return {
    delivered,
    wrong: delivered.filter((span) => !rows.has(canonicalJson(translate(span)))),
    missing: (accounts.at(-1)?.lastSequence ?? 0) - sequences.length,
  };
}

describe('a damaged spool', () => {
  it('a spool cut anywhere gives the records before the cut, no wrong one, and the missing count', async () => {
    let cuts = 0;
    for (let at = 0; at <= written.length; at += CUT_EVERY) {
      const { delivered, wrong, missing } = await outcomeOf((path) => truncateSync(path, at));
      expect(wrong, `cut at ${at}`).toEqual([]);
      expect(delivered.length + missing, `cut at ${at}`).toBe(RECORDS);
      cuts += 1;
    }
    console.info(
      `${cuts} cuts of a file of ${written.length} bytes with ${RECORDS} records: no crash, no wrong row.`,
    );
  });

  it('a spool with one flipped bit gives no wrong record, and counts the missing one', async () => {
    const random = createRandom(deriveSeed(FAULT_SEED, 'bit flips'));
    let lost = 0;
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const [at, bit] = [Math.floor(random() * written.length), Math.floor(random() * 8)];
      const { delivered, wrong, missing } = await outcomeOf((path) => {
        const bytes = Buffer.from(written);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        writeFileSync(path, bytes);
      });
      expect(wrong, `bit ${bit} of byte ${at}`).toEqual([]);
      expect(missing, `bit ${bit} of byte ${at}`).toBe(RECORDS - delivered.length);
      expect(missing).toBeLessThanOrEqual(1);
      lost += missing;
    }
    console.info(
      `Seed ${FAULT_SEED}: ${FLIPS} bits turned over: ${lost} records lost, all of them counted as missing.`,
    );
  });
});
