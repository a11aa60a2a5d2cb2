import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { CategorizedError } from '#semconv/error-categories';
import type { OsUser } from './os-user.ts';
import { findLastingPlace, isTraversable } from './shared-place.ts';

const serverState = z.object({
  /** Of the server's superuser; random, and kept nowhere else. */
  password: z.string().min(16),
  /** Where the rows are: below the data directory, or in a lasting place that the server's account can reach. */
  clusterDirectory: z.string().min(1),
  /** The port of the last start, tried first at the next one. */
  port: z.number().int().min(0).max(65_535),
});
/** What a data directory remembers of its server between starts. */
export type ServerState = z.infer<typeof serverState>;

const STATE_FILE = 'postgres.json';

/**
 * Reads what the data directory remembers, or decides it on the first start.
 *
 * @throws CategorizedError when the file is broken, readable by others, or another user's.
 */
export async function openServerState(dataDirectory: string, user: OsUser | undefined): Promise<ServerState> {
  const path = join(dataDirectory, STATE_FILE);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return createServerState(dataDirectory, user);
  if (status.uid !== process.getuid?.() || (status.mode & 0o077) !== 0) {
    throw stateError('belongs to another user or others may read it');
  }
  const parsed = serverState.safeParse(parseJson(await readFile(path, 'utf8').catch(() => '')));
  if (!parsed.success) throw stateError('cannot be read');
  return parsed.data;
}

/** Writes the state whole or not at all, for this user alone. */
export async function saveServerState(dataDirectory: string, state: ServerState): Promise<void> {
  const path = join(dataDirectory, STATE_FILE);
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(state), { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
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
