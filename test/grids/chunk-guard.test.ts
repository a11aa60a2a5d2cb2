import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGridStore } from '#grids';
import { patchJson, plainFiles, rejectionOf, smallField, smallFiles, VALID_TIMES } from './small-store.ts';

const [FIRST_TIME] = VALID_TIMES;
const CHUNK = '2t/0.0.0';

interface Reading {
  readonly codec?: 'blosc' | 'zstd';
  readonly requireChunks?: boolean;
  /** Whole files to start from, where many readings share them. */
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

describe('a damaged chunk', () => {
  it.each(['blosc', 'zstd'] as const)(
    'a damaged chunk is never read as data when %s is cut off anywhere',
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

  it('a damaged chunk is refused before decoding when its header claims another size, so that no memory is handed out for it', async () => {
    const error = await rejectionOf(
      readDamaged((chunk) => {
        new DataView(chunk.buffer).setUint32(4, 2 ** 30, true);
        return chunk;
      }),
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('claims to hold 1073741824 bytes') as string,
    });
  });

  it('a damaged chunk is refused when bytes follow it', async () => {
    const error = await rejectionOf(readDamaged((chunk) => Uint8Array.of(...chunk, 0)));
    expect(error).toMatchObject({ message: expect.stringContaining('truncated or corrupt') as string });
  });

  it('a damaged chunk is refused when an uncompressed chunk is too short', async () => {
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

  it('either is refused or keeps its size, whatever its bytes are', async () => {
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

describe('an absent chunk', () => {
  it('an absent chunk is NaN by the fill value of the array', async () => {
    const field = await readDamaged(() => undefined);
    expect(field).toHaveLength(12);
    expect(field.every(Number.isNaN)).toBe(true);
  });

  it('an absent chunk is an error when chunks are required, so that leaving out a field is not a way out', async () => {
    const error = await rejectionOf(readDamaged(() => undefined, { requireChunks: true }));
    expect(error).toMatchObject({
      category: 'invalid_response',
      message: 'Chunk /2t/0.0.0 is absent; every chunk of 2t must be stored.',
    });
  });

  it('an absent chunk is an error when the array has no fill value, because it would read as zeros', async () => {
    const files = await plainFiles();
    patchJson(files, '2t/.zarray', { fill_value: null });
    files.delete(CHUNK);
    const store = await openGridStore(files);
    const reading = store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(await rejectionOf(reading)).toMatchObject({ category: 'invalid_response' });
  });

  it('an absent chunk does not disturb the other chunks', async () => {
    const files = await smallFiles();
    files.delete('2t/1.0.0');
    const store = await openGridStore(files, { requireChunks: true });
    const field = await store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(field).toEqual(smallField(FIRST_TIME, 0));
  });
});
