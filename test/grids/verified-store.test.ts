import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemoryStore,
  hashFile,
  openGridStore,
  type VerifiedStore,
  withManifestVerification,
} from '#grids';
import { rejectionOf, smallField, smallFiles, VALID_TIMES } from './small-store.ts';

function manifestOf(files: ReadonlyMap<string, Uint8Array>) {
  return { files: Object.fromEntries([...files].map(([path, bytes]) => [path, hashFile(path, bytes)])) };
}

function verifiedStore(files: ReadonlyMap<string, Uint8Array>, frozen = manifestOf(files)): VerifiedStore {
  return withManifestVerification(createMemoryStore(files), frozen);
}

const refused = { category: 'verification_chunk', retryable: false };

describe('hashFile', () => {
  it('the hash covers path, NUL and content, so that two files cannot be exchanged', () => {
    const expected = createHash('sha256').update('2t/0.0.0\0wind').digest('hex');
    expect(hashFile('2t/0.0.0', Buffer.from('wind'))).toBe(expected);
    expect(hashFile('2t/0.0.1', Buffer.from('wind'))).not.toBe(expected);
  });
});

describe('withManifestVerification', () => {
  it('unchanged files are readable, and verified files are counted', async () => {
    const store = verifiedStore(await smallFiles());
    const grid = await openGridStore(store);
    const metadata = store.stats.verifiedFiles;
    const request = { variable: '2t', pressureHpa: null, validTime: VALID_TIMES[0] } as const;
    expect(await grid.readField(request)).toEqual(smallField(VALID_TIMES[0], 0));
    expect(await grid.readField(request)).toEqual(smallField(VALID_TIMES[0], 0));
    expect(store.stats.verifiedFiles).toBe(metadata + 1);
    expect(store.stats.reads).toBeGreaterThan(metadata + 1);
    expect(store.stats.bytes).toBeGreaterThan(0);
  });

  it.each(['2t/0.0.0', '.zmetadata', 'lat/0'])(
    'the file %s is rejected once a bit of it has changed',
    async (path) => {
      const files = await smallFiles();
      const frozen = manifestOf(files);
      const changed = Uint8Array.from(files.get(path) ?? []);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      files.set(path, changed);
      const store = verifiedStore(files, frozen);
      const error = await rejectionOf(store.get(`/${path}`));
      expect(error).toMatchObject(refused);
      expect((error as Error).message).toContain(path);
      expect(store.stats.verifiedFiles).toBe(0);
    },
  );

  it('every single flipped bit in any content is detected', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), async (content, bit) => {
        const frozen = manifestOf(new Map([['t/0', content]]));
        const flipped = Uint8Array.from(content);
        const index = Math.floor(bit / 8) % content.length;
        flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit % 8));
        const reading = verifiedStore(new Map([['t/0', flipped]]), frozen).get('/t/0');
        expect(await rejectionOf(reading)).toMatchObject(refused);
      }),
    );
  });

  it('a file that the manifest does not list is rejected, including metadata', async () => {
    const files = await smallFiles();
    const { '.zmetadata': _unlisted, ...listed } = manifestOf(files).files;
    expect(_unlisted).toHaveLength(64);
    const opening = openGridStore(verifiedStore(files, { files: listed }));
    expect(await rejectionOf(opening)).toMatchObject(refused);
  });

  it('a listed file that is absent is an error, so that a bad field cannot be removed', async () => {
    const files = await smallFiles();
    const frozen = manifestOf(files);
    files.delete('2t/0.0.0');
    const error = await rejectionOf(verifiedStore(files, frozen).get('/2t/0.0.0'));
    expect(error).toMatchObject(refused);
    expect((error as Error).message).toContain('absent');
  });

  it('a file that is neither listed nor stored is absent without an error, because readers probe', async () => {
    const store = verifiedStore(await smallFiles());
    expect(await store.get('/zarr.json')).toBeUndefined();
    expect(await store.get('/constructor')).toBeUndefined();
  });

  it('hashes in upper case are accepted', async () => {
    const content = Buffer.from('wind');
    const files = { 't/0': hashFile('t/0', content).toUpperCase() };
    const store = verifiedStore(new Map([['t/0', content]]), { files });
    expect(await store.get('/t/0')).toEqual(content);
  });
});
