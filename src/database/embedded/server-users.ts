import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { identifyOwnProcess, isAlive } from '#processes/process-identity';

/**
 * Notes in a folder that this process uses the server.
 *
 * @returns the path of the note, which {@link removeServerUser} takes back.
 */
export async function addServerUser(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const note = join(folder, `${identifyOwnProcess()}.${randomUUID()}`);
  await writeFile(note, '', { mode: 0o600 });
  return note;
}

/** Takes a note back. */
export async function removeServerUser(note: string): Promise<void> {
  await rm(note, { force: true });
}

/** How many living users are noted. The notes of killed processes are removed on the way. */
export async function countServerUsers(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const dead = names.filter((name) => !isAlive(name.split('.')[0] ?? ''));
  await Promise.all(dead.map((name) => rm(join(folder, name), { force: true })));
  return names.length - dead.length;
}
