import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import Lz4 from 'numcodecs/lz4';
import Zstd from 'numcodecs/zstd';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpStore, createMemoryStore, openGridStore } from '#grids';
import { patchJson, plainFiles, rejectionOf, setJson, smallField, VALID_TIMES } from './small-store.ts';

const CHUNK = '2t/0.0.0';
const REQUEST = { variable: '2t', pressureHpa: null, validTime: VALID_TIMES[0] } as const;
/** The chunk of the small store is 48 bytes. */
const BOMB = new Uint8Array(4 * 2 ** 20);
const encode = (library: unknown, bytes: Uint8Array): Promise<Uint8Array> =>
  (library as { fromConfig(settings: object): { encode(bytes: Uint8Array): Promise<Uint8Array> } })
    .fromConfig({})
    .encode(bytes);

/** A zstd frame as a stream writes it, without its size: blocks of one byte, repeated. */
function streamedZstd(blockBytes: number, blocks: number): Uint8Array {
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
  const block = (isLast: boolean): number[] => {
    const bits = blockBytes * 8 + 2 + Number(isLast);
    return [bits & 255, (bits >> 8) & 255, bits >> 16, 0];
  };
  return Uint8Array.from(
    [header, ...Array.from({ length: blocks }, (_, at) => block(at === blocks - 1))].flat(),
  );
}

async function readWith(compressor: object | null, chunk: Uint8Array): Promise<Float32Array> {
  const files = await plainFiles();
  patchJson(files, '2t/.zarray', { compressor });
  files.set(CHUNK, chunk);
  return (await openGridStore(files)).readField(REQUEST);
}

describe('chunk that unpacks to more than it declares', () => {
  it.each([
    ['gzip', () => gzipSync(BOMB)],
    ['zlib', () => deflateSync(BOMB)],
    ['lz4', () => encode(Lz4, BOMB)],
    ['zstd', () => encode(Zstd, BOMB)],
    ['zstd', () => streamedZstd(131_072, 100)],
  ])('a bomb of %s is stopped at the size that the metadata declares', async (id, bomb) => {
    const error = await rejectionOf(readWith({ id }, await bomb()));
    expect(error).toMatchObject({
      category: 'invalid_response',
      retryable: false,
      message: expect.stringMatching(/unpacks to .*, where the array's chunks have 48 bytes/) as string,
    });
  });

  it.each([
    ['gzip', (bytes: Uint8Array) => gzipSync(bytes)],
    ['zlib', (bytes: Uint8Array) => deflateSync(bytes)],
    ['lz4', (bytes: Uint8Array) => encode(Lz4, bytes)],
    ['zstd', (bytes: Uint8Array) => encode(Zstd, bytes)],
  ])('an honest chunk of %s is read as it was written', async (id, pack) => {
    const field = smallField(VALID_TIMES[0], 0);
    expect(await readWith({ id }, await pack(new Uint8Array(field.buffer)))).toEqual(field);
  });

  it('a frame of zstd that does not tell its size is read, since streams write such', async () => {
    expect(await readWith({ id: 'zstd' }, streamedZstd(48, 1))).toEqual(new Float32Array(12));
  });

  it('a frame of zstd that understates its size is rejected', async () => {
    const frame = await encode(Zstd, new Uint8Array(4096));
    const lying = Uint8Array.from(frame);
    // The size of two bytes stands after the descriptor, less 256.
    lying.set([0x28, 0xb5, 0x2f, 0xfd, 0x20, 48], 0);
    const error = await rejectionOf(readWith({ id: 'zstd' }, lying));
    expect(error).toMatchObject({ category: 'invalid_response' });
  });

  it('a codec whose output nothing bounds is refused at opening, by name', async () => {
    const files = await plainFiles();
    patchJson(files, '2t/.zarray', { filters: [{ id: 'rot13' }] });
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining('Array 2t is stored with codec or filter "rot13"') as string,
    });
  });
});

describe('metadata beyond any forecast', () => {
  it.each([
    [
      'a field of more values than the Earth has',
      { shape: [2, 1e6, 1e6], chunks: [1, 1, 1] },
      'A read of array 2t',
    ],
    ['chunks beyond any memory', { shape: [2, 3, 4], chunks: [1e9, 1e9, 1e9] }, 'has chunks of'],
    ['a million tiny chunks', { shape: [2, 1000, 1000], chunks: [1, 1, 1] }, '1000000 chunks of 4 bytes'],
  ])('%s is refused before a chunk is requested', async (_, changes, message) => {
    const files = await plainFiles();
    patchJson(files, '2t/.zarray', changes);
    const store = createMemoryStore(files);
    const chunks: string[] = [];
    const watched = {
      ...store,
      get: (key: `/${string}`) => {
        if (/\/[\d.]+$/.test(key)) chunks.push(key);
        return store.get(key);
      },
    };
    expect(await rejectionOf(openGridStore(watched))).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining(message) as string,
    });
    expect(chunks).toEqual([]);
  });

  it('a field that is larger than its caller allows is refused', async () => {
    const error = await rejectionOf(openGridStore(await plainFiles(), { maxFieldBytes: 47 }));
    expect(error).toMatchObject({ message: expect.stringContaining('at most 47 are allowed') as string });
  });

  it('a metadata file of more than 1 MiB is refused, also from a store that knows no limit', async () => {
    const files = await plainFiles();
    files.set('.zmetadata', new Uint8Array(2 ** 20 + 1).fill(0x20));
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      category: 'invalid_response',
      message: 'File /.zmetadata is longer than the 1048576 bytes that are allowed.',
    });
  });

  it('a metadata file of empty objects is refused before it is parsed, which would take seconds', async () => {
    const files = await plainFiles();
    setJson(
      files,
      '.zmetadata',
      Array.from({ length: 50_000 }, () => ({})),
    );
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      category: 'invalid_response',
      message: expect.stringMatching(/^File \/\.zmetadata holds \d+ values; at most 32768/) as string,
    });
  });

  it('a metadata file that is nested without end is refused', async () => {
    const files = await plainFiles();
    files.set('2t/.zattrs', new TextEncoder().encode('['.repeat(30_000)));
    expect(await rejectionOf(openGridStore(files))).toMatchObject({ category: 'invalid_response' });
  });
});

describe('files of a hostile server', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('a body without end is read to the limit of its file, and no further', async () => {
    let sent = 0;
    server = createServer((request, response) => {
      if (request.url?.endsWith('/.zmetadata') !== true) return void response.writeHead(404).end();
      const send = (): void => {
        sent += 65_536;
        response.write(Buffer.alloc(65_536, '{},'), (error) => (error ? undefined : setImmediate(send)));
      };
      send();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const error = await rejectionOf(
      openGridStore(createHttpStore(`http://127.0.0.1:${String(port)}/a.zarr`)),
    );
    expect(error).toMatchObject({
      category: 'invalid_response',
      message: 'File /.zmetadata is longer than the 1048576 bytes that are allowed.',
    });
    // What the sockets hold comes on top.
    expect(sent).toBeLessThan(32 * 2 ** 20);
  });
});
