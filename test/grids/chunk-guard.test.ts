import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGridStore } from '#grids';
import { patchJson, plainFiles, rejectionOf, smallField, smallFiles, VALID_TIMES } from './small-store.ts';

const [FIRST_TIME] = VALID_TIMES;
const CHUNK = '2t/0.0.0';

interface Reading {
  readonly codec?: 'blosc' | 'zstd';
  readonly requireChunks?: boolean;
  /** Intact files, when several reads share them. */
  readonly whole?: ReadonlyMap<string, Uint8Array>;
}

async function readDamaged(
  damage: (chunk: Uint8Array) => Uint8Array | undefined,
  { codec = 'blosc', requireChunks = false, whole }: Reading = {},
): Promise<Float32Array> {
  const files = new Map(whole ?? (await smallFiles({ zarrFormat: 2, codec })));
  const damaged = damage(Uint8Array.from(files.get(CHUNK) ?? []));
  if (damaged === undefined) files.delete(CHUNK);
  else files.set(CHUNK, damaged);
  const store = await openGridStore(files, { requireChunks });
  return store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
}

describe('damaged chunk', () => {
  it.each(['blosc', 'zstd'] as const)(
    'a %s chunk that is truncated at any byte is never read as data',
    async (codec) => {
      const whole = await smallFiles({ zarrFormat: 2, codec });
      const length = whole.get(CHUNK)?.length ?? 0;
      expect(length).toBeGreaterThan(10);
      for (let kept = 0; kept < length; kept += 1) {
        const error = await rejectionOf(readDamaged((chunk) => chunk.slice(0, kept), { whole }));
        expect(error).toMatchObject({ category: 'invalid_response', retryable: false });
      }
    },
  );

  it('a chunk whose header claims another size is rejected before memory is allocated for it', async () => {
    const error = await rejectionOf(
      readDamaged((chunk) => {
        new DataView(chunk.buffer).setUint32(4, 2 ** 30, true);
        return chunk;
      }),
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('claims a decoded size of 1073741824 bytes') as string,
    });
  });

  it('a chunk with trailing bytes is rejected', async () => {
    const error = await rejectionOf(readDamaged((chunk) => Uint8Array.of(...chunk, 0)));
    expect(error).toMatchObject({ message: expect.stringContaining('truncated or corrupt') as string });
  });

  it('an uncompressed chunk that is too short is rejected', async () => {
    const files = await plainFiles();
    patchJson(files, '2t/.zarray', { compressor: null });
    files.set(CHUNK, new Uint8Array(44));
    const store = await openGridStore(files);
    const reading = store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(await rejectionOf(reading)).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining('holds 11 values instead of 12') as string,
    });
  });

  it('a chunk of arbitrary bytes is either rejected or has the expected size', async () => {
    const whole = await smallFiles({ zarrFormat: 2, codec: 'zstd' });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const outcome = await readDamaged(() => bytes, { whole }).catch((error: unknown) => error);
        if (outcome instanceof Float32Array) expect(outcome).toHaveLength(12);
        else expect(outcome).toMatchObject({ category: 'invalid_response' });
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

describe('absent chunk', () => {
  it('an absent chunk is read as NaN by the fill value of the array', async () => {
    const field = await readDamaged(() => undefined);
    expect(field).toHaveLength(12);
    expect(field.every(Number.isNaN)).toBe(true);
  });

  it('an absent chunk is an error when chunks are required, so that a field cannot be omitted', async () => {
    const error = await rejectionOf(readDamaged(() => undefined, { requireChunks: true }));
    expect(error).toMatchObject({
      category: 'invalid_response',
      message: 'Chunk /2t/0.0.0 is absent; every chunk of 2t must be stored.',
    });
  });

  it('an absent chunk of an array without a fill value is an error: it would read as zeros', async () => {
    const files = await plainFiles();
    patchJson(files, '2t/.zarray', { fill_value: null });
    files.delete(CHUNK);
    const store = await openGridStore(files);
    const reading = store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(await rejectionOf(reading)).toMatchObject({ category: 'invalid_response' });
  });

  it('an absent chunk does not affect the other chunks', async () => {
    const files = await smallFiles();
    files.delete('2t/1.0.0');
    const store = await openGridStore(files, { requireChunks: true });
    const field = await store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(field).toEqual(smallField(FIRST_TIME, 0));
  });
});
