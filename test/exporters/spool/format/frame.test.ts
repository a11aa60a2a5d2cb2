import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  frameAt,
  HEADER_BYTES,
  readSegment,
  RECORD_KINDS,
  type Frame,
} from '#spool/format/frame';
import { createRandom } from '#world';

const frame = fc.record({
  kind: fc.constantFrom(...RECORD_KINDS),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  payload: fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
});
const plain = ({ kind, sequence, payload }: Frame): unknown => ({ kind, sequence, payload: [...payload] });
const segmentOf = (frames: readonly Frame[]): Buffer => Buffer.concat(frames.map(encodeFrame));

/** Twenty records of a segment. */
const RECORDS: readonly Frame[] = Array.from({ length: 20 }, (_, index) => ({
  kind: index % 2 === 0 ? 'started' : 'ended',
  sequence: index + 1,
  payload: Buffer.from(`{"record":${index},"text":"${'x'.repeat(index)}"}`),
}));
const WRITTEN = new Set(RECORDS.map((record) => JSON.stringify(plain(record))));
const isOneOf = (found: Frame): boolean => WRITTEN.has(JSON.stringify(plain(found)));

describe('readSegment', () => {
  it('written records are read back in order', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const bytes = segmentOf(frames);
        const read = readSegment(bytes);
        expect(read.frames.map(plain)).toEqual(frames.map(plain));
        expect(read).toMatchObject({ damagedRanges: 0, damagedBytes: 0, end: bytes.length });
      }),
    );
  });

  it('a segment that is cut at any byte gives all records before the cut, and the rest is a torn tail', () => {
    const bytes = segmentOf(RECORDS);
    const ends = RECORDS.map((_, index) => segmentOf(RECORDS.slice(0, index + 1)).length);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const whole = ends.filter((end) => end <= cut);
      const read = readSegment(bytes.subarray(0, cut));
      expect(read.frames).toHaveLength(whole.length);
      expect(read).toMatchObject({ damagedRanges: 0, end: whole.at(-1) ?? 0 });
    }
  });

  it('a flipped bit never yields a record that was not written, and is counted as damage', () => {
    const bytes = segmentOf(RECORDS);
    const random = createRandom(20261123);
    for (let flip = 0; flip < 10_000; flip += 1) {
      const damaged = Buffer.from(bytes);
      const at = Math.floor(random() * bytes.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const read = readSegment(damaged);
      const isLastRecord = at >= segmentOf(RECORDS.slice(0, -1)).length;
      expect(read.frames.every(isOneOf)).toBe(true);
      expect(read.frames.length).toBeGreaterThanOrEqual(RECORDS.length - 1);
      expect(
        read.frames.length === RECORDS.length ||
          read.damagedRanges > 0 ||
          (isLastRecord && read.end < bytes.length),
      ).toBe(true);
    }
  });

  it('random bytes yield no record and no error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readSegment(Buffer.from(bytes)).frames).toEqual([]);
      }),
    );
  });
});

describe('frameAt', () => {
  it('an unfinished frame is told apart from a damaged one', () => {
    const bytes = encodeFrame({ kind: 'ended', sequence: 7, payload: Buffer.from('payload') });
    expect(frameAt(bytes.subarray(0, HEADER_BYTES + 3), 0)).toEqual({ kind: 'incomplete' });
    bytes[HEADER_BYTES] = 0;
    expect(frameAt(bytes, 0)).toEqual({ kind: 'damaged', next: bytes.length });
  });

  it('an implausible length is damage, and nothing is allocated for it', () => {
    const bytes = encodeFrame({ kind: 'ended', sequence: 7, payload: Buffer.from('payload') });
    bytes.writeUInt32LE(0xffffffff, 4);
    expect(frameAt(bytes, 0)).toMatchObject({ kind: 'damaged' });
  });
});
