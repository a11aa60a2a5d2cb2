import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import Lz4 from 'numcodecs/lz4';
import Zstd from 'numcodecs/zstd';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpStore, createMemoryStore, openGridStore } from '#grids';
import {
  patchJson,
  plainFiles,
  rejectionOf,
  setJson,
  smallField,
  smallFiles,
  VALID_TIMES,
} from './small-store.ts';

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

/** A shard of the two times of the small store, uncompressed, with the index as it is given. */
async function readSharded(
  index: readonly (readonly [offset: number, length: number])[],
  damage: (shard: Uint8Array) => Uint8Array = (shard) => shard,
): Promise<Float32Array> {
  const files = await smallFiles({ zarrFormat: 3 });
  const little = { name: 'bytes', configuration: { endian: 'little' } };
  const configuration = {
    chunk_shape: [1, 3, 4],
    codecs: [little],
    index_codecs: [little, { name: 'crc32c' }],
    index_location: 'end',
  };
  patchJson(files, '2t/zarr.json', {
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [2, 3, 4] } },
    codecs: [{ name: 'sharding_indexed', configuration }],
  });
  const root = JSON.parse(new TextDecoder().decode(files.get('zarr.json'))) as object;
  setJson(files, 'zarr.json', { ...root, consolidated_metadata: undefined });
  const entries = new BigUint64Array(index.flat().map(BigInt));
  const fields = VALID_TIMES.map((time) => Buffer.from(smallField(time, 0).buffer));
  const bytes = Buffer.from(entries.buffer);
  files.set('2t/c/0/0/0', damage(Buffer.concat([...fields, bytes, crc32c(bytes)])));
  return (await openGridStore(files, { requireChunks: true })).readField(REQUEST);
}

/** By the definition, bit for bit. */
function crc32c(bytes: Uint8Array): Buffer {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE((crc ^ 0xffffffff) >>> 0);
  return sum;
}

describe('broken shard', () => {
  const WHOLE = [
    [0, 48],
    [48, 48],
  ] as const;

  it('a shard whose index is right is read', async () => {
    expect(crc32c(Buffer.from('123456789')).readUInt32LE()).toBe(0xe3069283);
    expect(await readSharded(WHOLE)).toEqual(smallField(VALID_TIMES[0], 0));
  });

  it.each([
    [
      'overlap',
      [
        [0, 48],
        [47, 48],
      ],
      'chunks that share bytes',
    ],
    [
      'lie behind the end',
      [
        [4800, 48],
        [48, 48],
      ],
      'it is truncated or corrupt',
    ],
    [
      'are longer than any codec makes them',
      [
        [0, 2 ** 40],
        [2 ** 41, 48],
      ],
      'a chunk of 1099511627776 bytes',
    ],
  ] as const)('a shard whose chunks %s is refused', async (_, index, message) => {
    expect(await rejectionOf(readSharded(index))).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining(message) as string,
    });
  });

  it('a shard that is cut off anywhere is never read as data', async () => {
    for (let kept = 0; kept < 132; kept += 11) {
      const error = await rejectionOf(readSharded(WHOLE, (shard) => shard.subarray(0, kept)));
      expect(error, `${String(kept)} bytes`).toMatchObject({ category: 'invalid_response' });
    }
  });

  it('an index whose checksum is that of another is refused, also where its entries look right', async () => {
    const exchanged = (shard: Uint8Array): Uint8Array => {
      const copy = Uint8Array.from(shard);
      copy.set(shard.subarray(96, 112), 112);
      copy.set(shard.subarray(112, 128), 96);
      return copy;
    };
    expect(await rejectionOf(readSharded(WHOLE, exchanged))).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining('its checksum is that of other bytes') as string,
    });
  });
});

describe('files of a hostile server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const serve = async (handle: RequestListener): Promise<string> => {
    const server = createServer(handle);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  };

  it('a body without end is read to the limit of its file, and no further', async () => {
    let sent = 0;
    const url = await serve((request, response) => {
      if (request.url?.endsWith('/.zmetadata') !== true) return void response.writeHead(404).end();
      const send = (): void => {
        sent += 65_536;
        response.write(Buffer.alloc(65_536, '{},'), (error) => (error ? undefined : setImmediate(send)));
      };
      send();
    });
    expect(await rejectionOf(openGridStore(createHttpStore(`${url}/a.zarr`)))).toMatchObject({
      category: 'invalid_response',
      message: 'File /.zmetadata is longer than the 1048576 bytes that are allowed.',
    });
    // What the sockets hold comes on top.
    expect(sent).toBeLessThan(32 * 2 ** 20);
  });

  it('a part that is longer than the range that was asked for is refused', async () => {
    const url = await serve((_, response) => void response.writeHead(206).end(Buffer.alloc(65)));
    const store = createHttpStore(url);
    expect(
      await rejectionOf(Promise.resolve(store.getRange?.('/t/c/0', { offset: 0, length: 64 }))),
    ).toMatchObject({
      message: 'File /t/c/0 is longer than the 64 bytes that are allowed.',
    });
  });

  it('a redirect is an error, and the host that it names sees neither a request nor the token', async () => {
    const seen: unknown[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    });
    const url = await serve((_, response) => void response.writeHead(307, { location: `${other}/a` }).end());
    const store = createHttpStore(url, { bearerToken: 'secret-token' });
    expect(await rejectionOf(store.get('/.zgroup'))).toMatchObject({ category: 'invalid_response' });
    expect(seen).toEqual([]);
  });
});
