import { inspect } from 'node:util';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDirectoryStore } from '#grids';
import { rejectionOf } from './small-store.ts';

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'directory-store-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 't'));
  await writeFile(join(directory, 't', '0.0'), 'wind');
  return directory;
}

describe('directory store', () => {
  it('a file is read as bytes, and an absent one as undefined', async () => {
    const store = createDirectoryStore(await makeDirectory());
    expect(Buffer.from((await store.get('/t/0.0')) ?? []).toString()).toBe('wind');
    expect(await store.get('/t/0.1')).toBeUndefined();
    expect(await store.get('/t')).toBeUndefined();
    expect(await store.get('/t/0.0/below-a-file')).toBeUndefined();
  });

  it('an error names the key and the code, never the directory', async () => {
    const directory = await makeDirectory();
    const error = (await rejectionOf(createDirectoryStore(directory).get(`/${'x'.repeat(5000)}`))) as Error;
    expect(error).toMatchObject({ category: 'validator_internal', retryable: true });
    expect(error.cause).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(error.message).toContain('ENAMETOOLONG');
    expect(inspect(error)).not.toContain(directory);
  });
});
