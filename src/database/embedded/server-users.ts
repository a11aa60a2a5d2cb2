import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { identifyOwnProcess, isAlive } from '#processes/process-identity';

/**
 * Adds this process to the reference count of the server: one marker file per use.
 *
 * @returns the path of the marker, for {@link removeServerUser}.
 */
export async function addServerUser(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const marker = join(folder, `${identifyOwnProcess()}.${randomUUID()}`);
  await writeFile(marker, '', { mode: 0o600 });
  return marker;
}

/** Removes a marker. Idempotent. */
export async function removeServerUser(marker: string): Promise<void> {
  await rm(marker, { force: true });
}

/** Number of living users. Also removes the markers of killed processes. */
export async function countServerUsers(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const dead = names.filter((name) => !isAlive(name.split('.')[0] ?? ''));
  await Promise.all(dead.map((name) => rm(join(folder, name), { force: true })));
  return names.length - dead.length;
}
