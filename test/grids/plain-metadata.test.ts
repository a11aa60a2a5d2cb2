import { describe, expect, it } from 'vitest';
import { openGridStore } from '#grids';
import { plainFiles, setJson, smallField, VALID_TIMES } from './small-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const FIELD = { variable: '2t', pressureHpa: null, validTime: VALID_TIMES[0] } as const;

describe('metadata as Python writes it', () => {
  it('bare NaN and infinities are read as the numbers that they name, and texts stay', async () => {
    const files = await plainFiles();
    const attributes = new TextDecoder().decode(files.get('2t/.zattrs')).trimEnd().slice(0, -1);
    const bare = '"missing_value": [NaN, -Infinity, Infinity], "long_name": "NaN of \\"Infinity\\" "}';
    files.set('2t/.zattrs', bytes(`${attributes}, ${bare}`));
    const array = new TextDecoder().decode(files.get('2t/.zarray'));
    files.set('2t/.zarray', bytes(array.replace(/"fill_value":[^,}]*/, '"fill_value": NaN')));
    const store = await openGridStore(files);
    expect(await store.readField(FIELD)).toEqual(smallField(FIELD.validTime, 0));
  });

  it.each(['<f2', '>f2'])('half floats (%s) are read on every Node', async (dtype) => {
    const files = await plainFiles();
    const array = JSON.parse(new TextDecoder().decode(files.get('2t/.zarray'))) as Record<string, unknown>;
    setJson(files, '2t/.zarray', { ...array, dtype, chunks: [2, 3, 4], compressor: null, fill_value: 1.5 });
    const values = Array.from({ length: 24 }, (_, index) => (index === 5 ? 0x3e00 : 0x4000 + index));
    const chunk = Buffer.alloc(48);
    for (const [index, value] of values.entries())
      if (dtype === '<f2') chunk.writeUInt16LE(value, 2 * index);
      else chunk.writeUInt16BE(value, 2 * index);
    for (const name of [...files.keys()]) if (/^2t\/\d/.test(name)) files.delete(name);
    files.set('2t/0.0.0', chunk);
    const field = await (await openGridStore(files)).readField(FIELD);
    expect([...field].slice(0, 7)).toEqual([0, 1, 2, 3, 4, NaN, 6].map((at) => 2 + at / 512));
  });
});
