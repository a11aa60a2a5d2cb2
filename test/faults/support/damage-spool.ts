import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments } from '#spool/segments/segment-files';
import { readTail, TailFile } from '#spool/segments/tail-file';
import type { Random } from '#world';

type Damage = (folder: string, random: Random) => void;

/** What can happen to the files that a process leaves. */
const DAMAGE = {
  'newest segment cut': (folder, random) => cut(segmentsOf(folder).at(-1), random),
  'a segment cut': (folder, random) => cut(oneOf(segmentsOf(folder), random), random),
  'newest segment deleted': (folder) => remove(segmentsOf(folder).at(-1)),
  'oldest segment deleted': (folder) => remove(segmentsOf(folder)[0]),
  'bits of a segment flipped': (folder, random) => flipBits(oneOf(segmentsOf(folder), random), random),
  'all segments foreign': (folder) => {
    for (const path of segmentsOf(folder))
      writeFileSync(
        path,
        readFileSync(path).map((byte) => byte ^ 0x55),
      );
  },
  'bits of the books flipped': (folder, random) => flipBits(join(folder, 'books'), random),
  'books deleted': (folder) => remove(join(folder, 'books')),
  'books cut': (folder, random) => cut(join(folder, 'books'), random),
  'bits of the tail flipped': (folder, random) => flipBits(join(folder, 'tail'), random),
  'tail deleted': (folder) => remove(join(folder, 'tail')),
  'bits of the cursor flipped': (folder, random) => flipBits(join(folder, 'cursor'), random),
  'cursor deleted': (folder) => remove(join(folder, 'cursor')),
  'another boot': (folder) => {
    const tail = readTail(folder);
    if (tail !== null) new TailFile(folder, { ...tail, bootId: 'another' }).close();
  },
  'folder of the dead deleted': (folder) => rmSync(folder, { recursive: true, force: true }),
} satisfies Record<string, Damage>;

/** Damage to a spool whose process is dead. */
export type RemainsFault = keyof typeof DAMAGE;
export const REMAINS_FAULTS = Object.keys(DAMAGE) as readonly RemainsFault[];

/** Damages a spool; what is drawn is drawn from `random`. */
export function damageSpool(fault: RemainsFault, folder: string, random: Random): void {
  DAMAGE[fault](folder, random);
}

const segmentsOf = (folder: string): readonly string[] => listSegments(folder).map(({ path }) => path);

const oneOf = (paths: readonly string[], random: Random): string | undefined =>
  paths[Math.floor(random() * paths.length)];

function remove(path: string | undefined): void {
  if (path !== undefined) rmSync(path, { force: true });
}

function cut(path: string | undefined, random: Random): void {
  if (path !== undefined && existsSync(path))
    truncateSync(path, Math.floor(random() * readFileSync(path).length));
}

/** Turns over one to eight bits of what was written. */
function flipBits(path: string | undefined, random: Random): void {
  if (path === undefined || !existsSync(path)) return;
  const bytes = readFileSync(path);
  const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
  for (let flips = 1 + Math.floor(random() * 8); flips > 0 && length > 0; flips -= 1) {
    const at = Math.floor(random() * length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  writeFileSync(path, bytes);
}
