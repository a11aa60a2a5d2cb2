import { join } from 'node:path';
import { listSegments } from '../segments/segment-files.ts';
import { listFolders, UNREADABLE } from '../spool-folder.ts';

/** Totals of the spools in a data directory, of living and of dead processes. */
export interface SpoolInspection {
  readonly spools: number;
  /** Bytes of all segments; delivered records count until their segment is removed. */
  readonly bytes: number;
  /** Quarantined folders, in which no record can be read. */
  readonly unreadable: readonly string[];
}

/** Inspects all spools below a directory, of every target database. Read-only, takes no locks. */
export async function inspectSpools(directory: string): Promise<SpoolInspection> {
  const folders: string[] = [];
  for (const target of await listFolders(directory)) {
    for (const name of await listFolders(join(directory, target)))
      folders.push(join(directory, target, name));
  }
  const readable = folders.filter((folder) => !folder.endsWith(UNREADABLE));
  return {
    spools: readable.length,
    bytes: readable.flatMap((folder) => listSegments(folder)).reduce((sum, { bytes }) => sum + bytes, 0),
    unreadable: folders.filter((folder) => folder.endsWith(UNREADABLE)),
  };
}
