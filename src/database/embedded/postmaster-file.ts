import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { identifyProcess } from '#processes/process-identity';

/** Content of `postmaster.pid`, the lock file of a cluster's server. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** `ready` once connections are accepted; before and after `starting`, `stopping`, `standby`. */
  readonly status: string;
}

/** Lines of the file, counted from 0, as defined by PostgreSQL's `pidfile.h`. */
const LINE = { pid: 0, port: 3, status: 7 } as const;

/** The path of the file. */
export function postmasterFilePath(clusterDirectory: string): string {
  return join(clusterDirectory, 'postmaster.pid');
}

/** Reads the file; undefined when it is absent: no server runs, or it was killed before writing the file. */
export async function readPostmasterFile(clusterDirectory: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(postmasterFilePath(clusterDirectory), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parsePostmasterFile(text);
}

/** Lines that are not written yet are read as port 0 and an empty status. */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[LINE.pid]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[LINE.port] ?? 0), status: lines[LINE.status] ?? '' };
}

/**
 * Whether the process of the file is a server of this cluster, and not an unrelated process that reused its PID after a
 * kill or a reboot.
 *
 * Without `/proc`, every living process of that PID counts as the server: the safe error.
 */
export async function isPostmasterAlive(file: PostmasterFile, clusterDirectory: string): Promise<boolean> {
  if (identifyProcess(file.pid) === undefined) return false;
  if (process.platform !== 'linux') return true;
  const commandLine = await readFile(`/proc/${file.pid}/cmdline`, 'utf8').catch(() => undefined);
  return commandLine === undefined || commandLine.split('\0').includes(clusterDirectory);
}
