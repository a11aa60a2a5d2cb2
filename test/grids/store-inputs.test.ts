import { createServer } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createMemoryStore,
  hashFile,
  openGridStore,
  readDigestedField,
  toAddress,
  withManifestVerification,
  writeGridStore,
  type FieldRequest,
  type GridSource,
  type GridStore,
} from '#grids';
import { withReadDigests } from '#grids/store-inputs';
import { plainFiles, setRawArray, smallDataset, smallFiles, VALID_TIMES } from './small-store.ts';

const surface = (time = 0): FieldRequest => ({
  variable: '2t',
  pressureHpa: null,
  validTime: VALID_TIMES[time] ?? VALID_TIMES[0],
});
const level = (pressureHpa: number, time = 0): FieldRequest => ({
  ...surface(time),
  variable: 't',
  pressureHpa,
});
const REQUESTS = [surface(), surface(1), level(850), level(500), level(850, 1)];
const digestsOf = async (source: GridSource | GridStore): Promise<readonly (string | null)[]> => {
  const store = typeof source === 'object' && 'readField' in source ? source : await openGridStore(source);
  return Promise.all(REQUESTS.map(async (request) => (await readDigestedField(store, request)).digest));
};

/** The files in a folder that goes with the test. */
async function inDirectory(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** The files over HTTP. */
async function overHttp(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const server = createServer(({ url = '/' }, response) => {
    const content = files.get(url.slice(1));
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the digest of a field', () => {
  it('is the same from memory, a directory, HTTP and a verified store, and another for each field', async () => {
    const files = await smallFiles();
    const manifest = {
      files: Object.fromEntries([...files].map(([path, at]) => [path, hashFile(path, at)])),
    };
    const digests = await digestsOf(files);
    expect(new Set(digests).size).toBe(REQUESTS.length);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestsOf(await inDirectory(files))).toEqual(digests);
    expect(await digestsOf(await overHttp(files))).toEqual(digests);
    expect(await digestsOf(withManifestVerification(createMemoryStore(files), manifest))).toEqual(digests);
  });

  it('does not depend on what else is read at the time, nor on what was read before', async () => {
    const store = await openGridStore(await smallFiles());
    const together = await digestsOf(store);
    const alone: (string | null)[] = [];
    for (const request of REQUESTS.toReversed())
      alone.unshift((await readDigestedField(store, request)).digest);
    expect(alone).toEqual(together);
  });

  it('changes with a chunk of the field, and only of that field', async () => {
    const files = await smallFiles();
    const before = await digestsOf(files);
    const chunk = Uint8Array.from(files.get('2t/1.0.0') ?? []);
    const changed = new Map(files).set('2t/1.0.0', files.get('2t/0.0.0') ?? chunk);
    expect((await digestsOf(changed)).map((digest, at) => digest === before[at])).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('stays when times are appended to the store, which changes its metadata', async () => {
    const dataset = smallDataset();
    const grown = new Map<string, Uint8Array>();
    const validTimes = [...VALID_TIMES, new Date('2026-01-03T00:00:00Z')];
    await writeGridStore(grown, { ...dataset, validTimes }, { zarrFormat: 2 });
    const files = await smallFiles();
    expect(grown.get('.zmetadata')).not.toEqual(files.get('.zmetadata'));
    expect(await digestsOf(grown)).toEqual(await digestsOf(files));
  });

  it('changes when the same bytes mean something else', async () => {
    const files = await plainFiles();
    const before = await digestsOf(files);
    const attributes = JSON.parse(new TextDecoder().decode(files.get('2t/.zattrs'))) as object;
    files.set('2t/.zattrs', Buffer.from(JSON.stringify({ ...attributes, add_offset: 1 })));
    const after = await digestsOf(files);
    expect(after.map((digest, at) => digest === before[at])).toEqual([false, false, true, true, true]);
  });

  it('is unknown of a store that a program made by itself', async () => {
    const store = await openGridStore(await smallFiles());
    const doubled: GridStore = {
      ...store,
      readField: async (request) => (await store.readField(request)).map((value) => 2 * value),
    };
    expect(await digestsOf(doubled)).toEqual(REQUESTS.map(() => null));
    expect((await readDigestedField(doubled, surface())).values).not.toEqual(
      (await readDigestedField(store, surface())).values,
    );
  });
});

describe('withReadDigests', () => {
  it('a shard counts by its ranges, whether or not its index is read again, and an absent chunk counts', async () => {
    const files = new Map([['s', Uint8Array.from([1, 2, 3, 4])]]);
    const { store, digest } = withReadDigests(createMemoryStore(files));
    const range = { offset: 1, length: 2 };
    const bare = await digest('', async () => store.getRange?.('/s', range));
    const withIndex = await digest('', async () => {
      await store.getRange?.('/s', { suffixLength: 1 });
      return store.getRange?.('/s', range);
    });
    expect(withIndex.digest).toBe(bare.digest);
    const other = await digest('', async () => store.getRange?.('/s', { offset: 2, length: 2 }));
    const absent = await digest('', async () => store.get('/none'));
    const nothing = await digest('', () => Promise.resolve());
    expect(new Set([bare, other, absent, nothing].map((one) => one.digest)).size).toBe(4);
  });
});

const versionsAt = async (inputs: GridStore['inputs']): Promise<readonly (string | null | undefined)[]> => [
  await inputs?.expverAt(VALID_TIMES[0]),
  await inputs?.expverAt(VALID_TIMES[1]),
];

describe('what is recorded of a store', () => {
  it('the address has no host, user, query or folder', async () => {
    expect(toAddress('https://me:word@data.example.org/era5.zarr?sig=abc#x')).toBe(
      'https://[host]/era5.zarr',
    );
    const folder = await inDirectory(await smallFiles());
    expect((await openGridStore(folder)).inputs).toMatchObject({
      kind: 'directory',
      address: `/${folder.split('/').at(-1) ?? ''}`,
    });
    expect((await openGridStore(await smallFiles())).inputs).toMatchObject({ kind: 'memory', address: null });
  });

  it('the experiment version of ERA5 is that of the time, one for all or one for each', async () => {
    const versionsOf = async (shape: readonly number[], values: Int32Array): Promise<unknown> => {
      const files = await plainFiles();
      setRawArray(files, 'expver', { dtype: '<i4', shape, values, attributes: {} });
      const { inputs } = await openGridStore(files);
      return versionsAt(inputs);
    };
    expect(await versionsOf([2], Int32Array.from([1, 5]))).toEqual(['0001', '0005']);
    expect(await versionsOf([1], Int32Array.from([5]))).toEqual(['0005', '0005']);
    const { inputs } = await openGridStore(await smallFiles());
    expect(await inputs?.expverAt(VALID_TIMES[0])).toBeNull();
  });

  it('an experiment version may be text, as in the stores of the CDS', async () => {
    const files = await plainFiles();
    const values = Uint32Array.from([48, 48, 48, 49, 48, 48, 48, 53]);
    setRawArray(files, 'expver', { dtype: '<U4', shape: [2], values, attributes: {} });
    const { inputs } = await openGridStore(files);
    expect(await versionsAt(inputs)).toEqual(['0001', '0005']);
  });
});
