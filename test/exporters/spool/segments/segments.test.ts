import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, SEGMENT_HEADER, type Frame } from '#spool/format/frame';
import { Cursor, isBefore, START } from '#spool/segments/cursor';
import { RecordReader } from '#spool/segments/record-reader';
import { listSegments, segmentPath } from '#spool/segments/segment-files';
import { SegmentWriter } from '#spool/segments/segment-writer';
import { temporaryFolder } from '#test/support/temporary-folder';

const record = (sequence: number, size = 20): Buffer =>
  encodeFrame({ kind: 'ended', sequence, payload: Buffer.from('x'.repeat(size)) });
const sequences = (records: readonly { readonly frame: Frame }[]): number[] =>
  records.map(({ frame }) => frame.sequence);
/** Size of a segment of one record. */
const ALONE = SEGMENT_HEADER.length + record(1).length;
const options = (directory: string, changes: { segmentBytes?: number; limitBytes?: number } = {}) => ({
  directory,
  segmentBytes: 200,
  limitBytes: 1_000_000,
  durability: 'system' as const,
  ...changes,
});

async function folder(): Promise<string> {
  const directory = join(await temporaryFolder(), 'spool');
  mkdirSync(directory);
  return directory;
}

describe('SegmentWriter', () => {
  it('a full segment is rotated, and the reader reads across all segments', async () => {
    const directory = await folder();
    const writer = new SegmentWriter(options(directory));
    for (let sequence = 1; sequence <= 20; sequence += 1)
      expect(writer.append([record(sequence)])).toBe('written');
    expect(listSegments(directory).length).toBeGreaterThan(3);
    expect(writer.bytes).toBe(20 * record(1).length + listSegments(directory).length * SEGMENT_HEADER.length);
    const reader = new RecordReader(directory, { from: START });
    const read = [...reader.next({ maxRecords: 7 }), ...reader.next({ maxRecords: 100 })];
    expect(sequences(read)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(reader.next({ maxRecords: 1 })).toEqual([]);
    writer.append([record(21)]);
    expect(sequences(reader.next({ maxRecords: 5 })), 'a later record is read later').toEqual([21]);
  });

  it('a restarted writer opens a new segment and counts the existing bytes', async () => {
    const directory = await folder();
    new SegmentWriter(options(directory)).append([record(1)]);
    const second = new SegmentWriter(options(directory));
    expect(second.bytes).toBe(ALONE);
    second.append([record(2)]);
    expect(listSegments(directory).map(({ number }) => number)).toEqual([1, 2]);
  });

  it('files whose names only resemble segments are ignored', async () => {
    const directory = await folder();
    for (const name of ['notes.segment', '7.segment', '0000000003.segment.old'])
      writeFileSync(join(directory, name), 'x'.repeat(100));
    const writer = new SegmentWriter(options(directory));
    writer.append([record(1)]);
    expect(listSegments(directory).map(({ number }) => number)).toEqual([1]);
    expect(writer.bytes).toBe(ALONE);
  });

  it('an append beyond the limit fails as a whole, until a segment is removed', async () => {
    const directory = await folder();
    const size = ALONE;
    const writer = new SegmentWriter(options(directory, { segmentBytes: size, limitBytes: 3 * size }));
    expect([1, 2, 3, 4].map((sequence) => writer.append([record(sequence)]))).toEqual([
      'written',
      'written',
      'written',
      'spool_full',
    ]);
    expect(writer.append([record(4), record(5)])).toBe('spool_full');
    writer.remove(1, size);
    expect(writer.append([record(6)])).toBe('written');
    expect(sequences(new RecordReader(directory, { from: START }).next({ maxRecords: 9 }))).toEqual([
      2, 3, 6,
    ]);
  });

  it('a failed append returns its reason', async () => {
    const directory = await folder();
    writeFileSync(join(directory, 'in-the-way'), '');
    const writer = new SegmentWriter(options(join(directory, 'in-the-way', '..')));
    expect(writer.append([record(1)])).toBe('written');
    writer.close();
    mkdirSync(segmentPath(directory, 2));
    expect(writer.append([record(2)])).toBe('spool_failed');
  });
});

describe('RecordReader', () => {
  it('damage in the middle of a closed spool is skipped, and the records behind it are read', async () => {
    const directory = await folder();
    const writer = new SegmentWriter(options(directory, { segmentBytes: 10_000 }));
    writer.append([1, 2, 3, 4].map((sequence) => record(sequence)));
    writer.close();
    const path = segmentPath(directory, 1);
    const bytes = readFileSync(path);
    // A damaged length makes the second record look as if it were still being written.
    bytes.writeUInt32LE(100_000, ALONE + 4);
    writeFileSync(path, bytes);
    const reader = new RecordReader(directory, { from: START, isClosed: true });
    expect(sequences(reader.next({ maxRecords: 9 }))).toEqual([1, 3, 4]);
    expect(reader.damage.ranges).toBe(1);
  });

  it('an unfinished tail of an open spool is read once it is complete', async () => {
    const directory = await folder();
    const whole = record(2);
    writeFileSync(segmentPath(directory, 1), Buffer.concat([record(1), whole.subarray(0, 15)]));
    const reader = new RecordReader(directory, { from: START });
    expect(sequences(reader.next({ maxRecords: 9 }))).toEqual([1]);
    appendFileSync(segmentPath(directory, 1), whole.subarray(15));
    expect(sequences(reader.next({ maxRecords: 9 }))).toEqual([2]);
    expect(reader.damage.ranges).toBe(0);
  });

  it.each([
    { behind: [] as number[], damagedRanges: 0, name: 'without a later record is no damage' },
    { behind: [3], damagedRanges: 0, name: 'before a record of the same number is no damage' },
    {
      behind: [5],
      damagedRanges: 1,
      name: 'before a gap in the numbers is damage',
    },
  ])('a torn tail $name', async ({ behind, damagedRanges }) => {
    const directory = await folder();
    const torn = record(3).subarray(0, -1);
    writeFileSync(segmentPath(directory, 1), Buffer.concat([record(1), record(2), torn]));
    if (behind.length > 0)
      writeFileSync(segmentPath(directory, 2), Buffer.concat(behind.map((number) => record(number))));
    const reader = new RecordReader(directory, { from: START, isClosed: true });
    expect(sequences(reader.next({ maxRecords: 9 }))).toEqual([1, 2, ...behind]);
    expect(reader.damage.ranges).toBe(damagedRanges);
  });

  it('a reader misses no record of a concurrent writer, rotations included', async () => {
    const directory = await folder();
    const writer = new SegmentWriter(options(directory, { segmentBytes: 150 }));
    const reader = new RecordReader(directory, { from: START });
    const read: number[] = [];
    let written = 0;
    const append = (): unknown => writer.append([record((written += 1))]);
    let idleTurns = 0;
    // Rotates the segment a varying number of event-loop turns after the reader has caught up.
    const write = (): void => {
      const { segment } = writer.end;
      idleTurns = (read.at(-1) ?? 0) === written ? idleTurns + 1 : 0;
      if (idleTurns > written % 9) while (writer.end.segment === segment) append();
      if (written < 2000) setImmediate(write);
    };
    write();
    while (written < 2000 || read.at(-1) !== written) {
      read.push(...sequences(reader.next({ maxRecords: 5 })));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toEqual(Array.from({ length: written }, (_, index) => index + 1));
  });

  it('a reader starts at the end of any record', async () => {
    const directory = await folder();
    const writer = new SegmentWriter(options(directory));
    for (let sequence = 1; sequence <= 12; sequence += 1) writer.append([record(sequence, sequence)]);
    const all = new RecordReader(directory, { from: START }).next({ maxRecords: 99 });
    for (const [index, { end }] of all.entries()) {
      const rest = new RecordReader(directory, { from: end }).next({ maxRecords: 99 });
      expect(sequences(rest)).toEqual(sequences(all.slice(index + 1)));
    }
  });
});

describe('Cursor', () => {
  it('any written position is read back', async () => {
    const directory = await folder();
    const cursor = new Cursor(directory);
    expect(cursor.read()).toEqual(START);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (segment, offset) => {
        cursor.write({ segment, offset });
        expect(new Cursor(directory).read()).toEqual({ segment, offset });
      }),
      { numRuns: 20 },
    );
    cursor.close();
  });

  it('a corrupt cursor is read as the start', async () => {
    const directory = await folder();
    const cursor = new Cursor(directory);
    cursor.write({ segment: 3, offset: 77 });
    cursor.close();
    const bytes = readFileSync(join(directory, 'cursor'));
    bytes[0] = 9;
    writeFileSync(join(directory, 'cursor'), bytes);
    expect(new Cursor(directory).read()).toEqual(START);
  });

  it('positions are ordered by segment, then by offset', () => {
    expect(isBefore({ segment: 1, offset: 9 }, { segment: 2, offset: 0 })).toBe(true);
    expect(isBefore({ segment: 2, offset: 1 }, { segment: 2, offset: 1 })).toBe(false);
  });
});
