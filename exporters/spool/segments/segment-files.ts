import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SUFFIX = '.segment';
const DIGITS = 10;
const NAME = new RegExp(`^\\d{${DIGITS},}\\${SUFFIX}$`);

/** A segment file of the log, numbered from 1. */
export interface SegmentFile {
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
}

/** The path of a segment; zero-padded, so that the order of names is the order of numbers. */
export const segmentPath = (directory: string, number: number): string =>
  join(directory, `${String(number).padStart(DIGITS, '0')}${SUFFIX}`);

/** The segments of a spool, oldest first. */
export function listSegments(directory: string): readonly SegmentFile[] {
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => {
      const path = join(directory, name);
      return { number: Number.parseInt(name, 10), path, bytes: statSync(path).size };
    });
}

/** Deletes a segment whose records are all delivered; no error when it is missing. */
export const removeSegment = (directory: string, number: number): void =>
  rmSync(segmentPath(directory, number), { force: true });
