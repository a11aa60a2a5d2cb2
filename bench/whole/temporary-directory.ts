import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory, and the function that removes it. */
export interface TemporaryDirectory {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'barograph-bench-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
