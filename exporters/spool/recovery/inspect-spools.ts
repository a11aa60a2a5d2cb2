import { join } from 'node:path';
import { listSegments } from '../segments/segment-files.ts';
import { listFolders, UNREADABLE } from '../spool-folder.ts';

/** What lies in the spools of a data directory, of living processes and of dead ones. */
export interface SpoolSurvey {
  readonly spools: number;
  /** Bytes of records, delivered ones included until their file is full. */
  readonly bytes: number;
  /** Folders that were put aside because no record in them can be read. */
  readonly unreadable: readonly string[];
}

/** Looks at all spools below a directory, whatever database they are meant for; changes nothing. */
export async function surveySpools(directory: string): Promise<SpoolSurvey> {
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
