import { folderOf, type ParsedFile } from './source-tree.ts';

/** The folders that hold files themselves, the fullest first. */
export function foldersBySize(
  files: readonly ParsedFile[],
): readonly { readonly folder: string; readonly files: number }[] {
  const counts = new Map<string, number>();
  for (const { path } of files) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
  return [...counts]
    .map(([folder, count]) => ({ folder, files: count }))
    .sort((a, b) => b.files - a.files || (a.folder < b.folder ? -1 : 1));
}

/** Rooms and the pairs of them of which the first imports the second, both sorted. */
export interface RoomMap {
  readonly rooms: readonly string[];
  readonly arrows: readonly string[];
}

/**
 * The rooms of some folders, the floors: what one sees in them, files and folders alike.
 *
 * A file on a floor is a room of its own. A loose pile of files thus counts as what it is to a reader.
 */
export function mapRooms(files: readonly ParsedFile[], floors: readonly string[]): RoomMap {
  const roomOf = (path: string): string | null => {
    const floor = floors.find((each) => path.startsWith(`${each}/`));
    return floor === undefined ? null : `${floor}/${path.slice(floor.length + 1).split('/')[0] ?? ''}`;
  };
  return mapOf(files, roomOf);
}

/** The folders that hold files themselves, as rooms. */
export function mapFolders(files: readonly ParsedFile[]): RoomMap {
  const paths = new Set(files.map(({ path }) => path));
  return mapOf(files, (path) => (paths.has(path) ? folderOf(path) : null));
}

function mapOf(files: readonly ParsedFile[], roomOf: (path: string) => string | null): RoomMap {
  const rooms = new Set<string>();
  const arrows = new Set<string>();
  for (const { path, imports } of files) {
    const from = roomOf(path);
    if (from === null) continue;
    rooms.add(from);
    for (const target of imports) {
      const to = roomOf(target);
      if (to !== null && to !== from) arrows.add(`${from} → ${to}`);
    }
  }
  return { rooms: [...rooms].sort(), arrows: [...arrows].sort() };
}
