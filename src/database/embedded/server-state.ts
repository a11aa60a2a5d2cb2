import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { CategorizedError } from '#semconv/error-categories';
import type { OsUser } from './os-user.ts';
import { findLastingPlace, isTraversable } from './shared-place.ts';

const serverState = z.object({
  /** Password of the server's superuser; random, and stored nowhere else. */
  password: z.string().min(16),
  /** The cluster: below the data directory, or in a persistent folder that the server's account can reach. */
  clusterDirectory: z.string().min(1),
  /** Port of the last start, which the next start tries first. */
  port: z.number().int().min(0).max(65_535),
});
/** Persistent state of an embedded server, stored in its data directory. */
export type ServerState = z.infer<typeof serverState>;

const STATE_FILE = 'postgres.json';

/**
 * Reads the state of the data directory, or creates it on the first start.
 *
 * @throws CategorizedError when the file is malformed, readable by other users, or owned by another user.
 */
export async function openServerState(dataDirectory: string, user: OsUser | undefined): Promise<ServerState> {
  const path = join(dataDirectory, STATE_FILE);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return createServerState(dataDirectory, user);
  if (status.uid !== process.getuid?.() || (status.mode & 0o077) !== 0) {
    throw stateError('belongs to another user or is readable by other users');
  }
  const parsed = serverState.safeParse(parseJson(await readFile(path, 'utf8').catch(() => '')));
  if (!parsed.success) throw stateError('cannot be read');
  return parsed.data;
}

/** Atomic write (temporary file and rename), readable by this user only. */
export async function saveServerState(dataDirectory: string, state: ServerState): Promise<void> {
  const path = join(dataDirectory, STATE_FILE);
  const temporaryPath = `${path}.${randomUUID()}`;
  await writeFile(temporaryPath, JSON.stringify(state), { mode: 0o600, flag: 'wx' });
  await rename(temporaryPath, path);
}

async function createServerState(dataDirectory: string, user: OsUser | undefined): Promise<ServerState> {
  const isReachable = user === undefined || (await isTraversable(dataDirectory, user));
  const clusterDirectory = isReachable
    ? join(dataDirectory, 'cluster')
    : join(await findLastingPlace(user), randomUUID());
  const state = { password: randomBytes(24).toString('base64url'), clusterDirectory, port: 0 };
  await saveServerState(dataDirectory, state);
  return state;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stateError(problem: string): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `The file ${STATE_FILE} in the data directory ${problem}. Allowed: mode 0600, owned by the user who starts. ` +
      'Start as that user, or move the data directory away to begin with an empty database.',
  );
}
