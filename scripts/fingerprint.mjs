import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A hash that changes whenever a file is changed, added or removed, from path, size and modification time: cheap enough
 * for every start.
 *
 * @param {string} root
 * @param {readonly string[]} entries files and folders below the root; a missing one counts as empty
 * @param {{ namesOnly?: boolean }} [options] whether only added and removed files count
 * @returns {string}
 */
export function fingerprintTree(root, entries, options = {}) {
  const hash = createHash('sha256');
  for (const path of entries.flatMap((entry) => listFiles(root, entry)).sort()) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(options.namesOnly === true ? `${path}\n` : `${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * A hash of the content of the file; empty when there is no file.
 *
 * @param {string} path
 * @returns {string}
 */
export function fingerprintFile(path) {
  const content = read(path);
  return content === undefined ? '' : createHash('sha256').update(content).digest('hex');
}

/**
 * The text of a file, or undefined when it cannot be read.
 *
 * @param {string} path
 * @returns {string | undefined}
 */
export function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function listFiles(root, entry) {
  const status = statSync(join(root, entry), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [entry];
  return readdirSync(join(root, entry)).flatMap((name) => listFiles(root, join(entry, name)));
}
