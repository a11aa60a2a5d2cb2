import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { encodeFrame, readSegment, SEGMENT_HEADER } from '#spool/format/frame';
import { listSegments, segmentPath } from '#spool/segments/segment-files';
import { readTail, TailFile } from '#spool/segments/tail-file';
import { temporaryFolder } from '#test/support/temporary-folder';
import { adoptInto } from '../support/adopt-into.ts';
import { keyOf, spanOf, SpoolBench, startOfSpan } from '../support/spool-bench.ts';

/** What a kill leaves of a spool with this many records, each in a turn of its own: books and tail as they were then. */
async function killedSpool(records: number, segmentBytes = 4096) {
  const alive = new SpoolBench(await temporaryFolder(), { segmentBytes });
  const spool = alive.open();
  for (let at = 0; at < records; at += 1) {
    spool.push(spanOf(at), 0);
    spool.flushNow();
  }
  const root = await temporaryFolder();
  const directory = join(root, 'dead');
  cpSync(alive.directory, directory, { recursive: true });
  spool.close();
  return { root, directory };
}

const segmentsOf = (directory: string): Readonly<Record<number, string>> =>
  Object.fromEntries(
    listSegments(directory).map(({ number, path }) => [number, readFileSync(path).toString('base64')]),
  );
/** The numbers that a sink was never given. */
function missingOf({ accounts }: Awaited<ReturnType<typeof adoptInto>>): number {
  const received = accounts.flatMap(({ received }) => received);
  return (accounts.at(-1)?.lastSequence ?? 0) - received.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
const endsOf = (spans: readonly ObservedSpan[]): string[] => spans.map(keyOf);

describe('a spool of which nothing can be read', () => {
  it('damaged segments are set aside whole, every number is missing, and the books stay open', async () => {
    const { root, directory } = await killedSpool(500);
    for (const { path } of listSegments(directory))
      writeFileSync(
        path,
        readFileSync(path).map((byte) => byte ^ 0x55),
      );
    const damaged = segmentsOf(directory);
    const adoption = await adoptInto(root);
    expect(adoption.spans).toEqual([]);
    expect(adoption.accounts.at(-1)).toMatchObject({
      ...{ isClosed: false, lastSequence: 500, deliveredSequence: 500, received: [] },
      runs: [{ runId: 1 }],
    });
    expect(readdirSync(root)).toEqual(['dead.unreadable']);
    expect(segmentsOf(`${directory}.unreadable`)).toEqual(damaged);
    expect(adoption.problems).toEqual([
      expect.stringMatching(/^Records in .*dead\.unreadable cannot be read: segments 1–42 \(damaged\)\. /),
    ]);
    expect((await adoptInto(root)).problems, 'it is said once').toEqual([]);
  });

  it('books of an unknown format leave the whole folder as it is, under another name', async () => {
    const { root, directory } = await killedSpool(3);
    const books = booksOf({ format: 99 });
    writeFileSync(join(directory, 'books'), books);
    const before = segmentsOf(directory);
    const { problems, accounts } = await adoptInto(root);
    expect(accounts).toEqual([]);
    expect(problems).toEqual([expect.stringContaining('its books have the unknown format 99')]);
    expect(segmentsOf(`${directory}.unreadable`)).toEqual(before);
    expect(readFileSync(join(`${directory}.unreadable`, 'books'))).toEqual(books);
  });
});

describe('a spool of which something can be read', () => {
  const changes: readonly (readonly [string, (path: string) => void, string])[] = [
    [
      'a segment of an unknown format',
      (path) => {
        const bytes = readFileSync(path);
        bytes.writeUInt16LE(7, 6);
        bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
        writeFileSync(path, bytes);
      },
      'of the unknown format 7',
    ],
    ['a segment of foreign bytes', (path) => writeFileSync(path, 'x'.repeat(3000)), 'damaged'],
    [
      'records of an older version in a segment without a header',
      (path) => {
        const frames = readSegment(readFileSync(path)).frames;
        const payload = Buffer.from('{"phase":"ended"}');
        writeFileSync(path, Buffer.concat(frames.map((frame) => encodeFrame({ ...frame, payload }))));
      },
      'records that cannot be decoded',
    ],
  ];
  it.each(changes)('%s is set aside alone, and all others are delivered', async (_, change, reason) => {
    const { root, directory } = await killedSpool(40);
    change(segmentPath(directory, 2));
    const [changed, whole] = [segmentsOf(directory)[2], segmentsOf(directory)];
    const lost = readSegment(readFileSync(segmentPath((await killedSpool(40)).directory, 2))).frames.length;
    expect(Object.keys(whole).length).toBeGreaterThan(3);
    const adoption = await adoptInto(root);
    expect(endsOf(adoption.spans)).toHaveLength(40 - lost);
    expect(missingOf(adoption)).toBe(lost);
    expect(adoption.accounts.at(-1)).toMatchObject({ isClosed: false, lastSequence: 40 });
    expect(adoption.problems).toEqual([expect.stringContaining(`segment 2 (${reason}). Segments with`)]);
    expect(segmentsOf(`${directory}.unreadable`)).toEqual({ 2: changed });
  });

  it('a damaged header of a segment loses none of its records', async () => {
    const { root, directory } = await killedSpool(5);
    const bytes = readFileSync(segmentPath(directory, 1));
    bytes[7] = 9;
    writeFileSync(segmentPath(directory, 1), bytes);
    const adoption = await adoptInto(root);
    expect(missingOf(adoption)).toBe(0);
    expect(readdirSync(root)).toEqual(['dead.unreadable']);
  });
});

describe('a spool that was cut off', () => {
  const RECORDS = 8;

  it('a log that is cut off anywhere, also between two records, never closes its books over the loss', async () => {
    const { directory: whole } = await killedSpool(RECORDS, 100_000);
    const { length } = readFileSync(segmentPath(whole, 1));
    const record = (length - SEGMENT_HEADER.length) / RECORDS;
    const boundaries = Array.from({ length: RECORDS + 1 }, (_, at) => SEGMENT_HEADER.length + at * record);
    expect(boundaries.every(Number.isInteger), 'all records have the same length').toBe(true);
    const cut = async (at: number): Promise<void> => {
      const root = await temporaryFolder();
      cpSync(whole, join(root, 'dead'), { recursive: true });
      truncateSync(segmentPath(join(root, 'dead'), 1), at);
      const adoption = await adoptInto(root);
      const lost = RECORDS - Math.max(0, Math.floor((at - SEGMENT_HEADER.length) / record));
      expect(missingOf(adoption), `cut at ${at}`).toBe(lost);
      expect(adoption.accounts.at(-1), `cut at ${at}`).toMatchObject({
        isClosed: lost === 0,
        lastSequence: RECORDS,
      });
      expect(adoption.problems.length > 0, `cut at ${at}`).toBe(lost > 0);
      const isTorn = !boundaries.includes(at) && at > 0;
      expect(readdirSync(root), `cut at ${at}`).toEqual(isTorn ? ['dead.unreadable'] : []);
    };
    for (const at of boundaries) await cut(at);
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: length }), cut), { numRuns: 40 });
  });

  it('newest segments that are gone are seen', async () => {
    const { root, directory } = await killedSpool(40);
    rmSync(listSegments(directory).at(-1)?.path ?? '');
    const adoption = await adoptInto(root);
    expect(adoption.problems).toEqual([expect.stringContaining('The log was cut off: the records')]);
    expect(adoption.accounts.at(-1)).toMatchObject({ isClosed: false, lastSequence: 40 });
  });

  it.each([
    { running: false, lastSequence: 3 },
    { running: true, lastSequence: 5 },
  ])(
    'records that were delivered and removed are not taken for cut off, with a running step ($running) or without',
    async ({ running, lastSequence }) => {
      const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 100 });
      const spool = bench.open();
      if (running) spool.push(startOfSpan(spanOf(0)), 0);
      for (const at of [1, 2, 3]) {
        spool.push(spanOf(at), 0);
        spool.flushNow();
      }
      await bench.deliver(spool);
      spool.flushNow();
      expect(listSegments(bench.directory).length).toBeLessThan(3);
      const dead = join(await temporaryFolder(), 'dead');
      cpSync(bench.directory, dead, { recursive: true });
      const { problems, accounts } = await adoptInto(join(dead, '..'));
      expect(problems).toEqual([]);
      expect(accounts.at(-1)).toMatchObject({ isClosed: true, lastSequence });
    },
  );

  it('a record is in the tail at the latest when the event loop has come round and the timer has run', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    for (const at of [1, 2, 3]) {
      spool.push(spanOf(at), 0);
      await Promise.resolve();
    }
    expect(readTail(bench.directory)?.sequence).toBe(1);
    vi.advanceTimersByTime(2);
    expect(readTail(bench.directory)?.sequence).toBe(3);
    spool.push(spanOf(4), 0);
    spool.close();
    expect(readTail(bench.directory)).toMatchObject({ sequence: 4, isClosed: true });
  });

  it.each([
    { durability: 'system', isClosed: false },
    { durability: 'disk', isClosed: true },
  ] as const)(
    'after a restart of the machine the end of a spool with durability $durability is open or not',
    async ({ durability, isClosed }) => {
      const { root, directory } = await killedSpool(3);
      const { sequence, end } = readTail(directory) ?? { sequence: 0, end: { segment: 0, offset: 0 } };
      new TailFile(directory, { sequence, end, durability, bootId: 'another', isOpenEnd: false }).close();
      const { problems, accounts } = await adoptInto(root);
      expect(accounts.at(-1)).toMatchObject({ isClosed, lastSequence: 3, deliveredSequence: 3 });
      expect(problems).toEqual(isClosed ? [] : [expect.stringContaining('The machine was restarted')]);
    },
  );

  it('an end that was found open stays open when the adopting process dies as well', async () => {
    const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 100_000 });
    const { directory } = await killedSpool(3, 100_000);
    cpSync(directory, bench.directory, { recursive: true });
    truncateSync(segmentPath(bench.directory, 1), 900);
    for (const openEnd of ['The log was cut off', 'Records at its end are gone']) {
      const recovered = await bench.recoverKnown();
      expect(recovered.openEnd).toContain(openEnd);
      expect(recovered.spool.account(true)).toMatchObject({ isClosed: false, lastSequence: 3 });
      recovered.spool.close();
    }
  });

  it('a spool without a tail closes its books only when the books know its last record', async () => {
    const { root, directory } = await killedSpool(3);
    rmSync(join(directory, 'tail'));
    const { problems, accounts } = await adoptInto(root);
    expect(accounts.at(-1)).toMatchObject({ isClosed: false });
    expect(problems).toEqual([expect.stringContaining('Nothing says which record was the last one')]);
  });

  it('a spool of which nothing but the books is left keeps them open', async () => {
    const { root, directory } = await killedSpool(3);
    for (const name of ['tail', ...readdirSync(directory).filter((file) => file.endsWith('.segment'))])
      rmSync(join(directory, name));
    const { problems, accounts } = await adoptInto(root);
    expect(accounts.at(-1)).toMatchObject({ isClosed: false });
    expect(problems).toEqual([expect.stringContaining('Nothing says which record was the last one')]);
  });
});

/** A books file with one slot of this content. */
function booksOf(content: object): Buffer {
  const json = Buffer.from(JSON.stringify(content));
  const bytes = Buffer.alloc(64 * 1024);
  bytes.writeUInt32LE(json.length, 0);
  bytes.writeUInt32LE(2 ** 31, 4);
  bytes.writeUInt32LE(crc32(json, crc32(bytes.subarray(0, 8))), 8);
  bytes.set(json, 12);
  return bytes;
}
