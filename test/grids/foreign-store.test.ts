import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openGridStore, readDigestedField } from '#grids';
import {
  type CodecName,
  foreignFiles,
  type ForeignStore,
  LAYOUTS,
  type LayoutName,
  type Place,
  type Storage,
  type TypeName,
  V3_CODECS,
} from './foreign-store.ts';

const LATITUDES = [60, 0, -60];
const HOURS = [435_000, 435_012];
const LEVELS = [850, 500];

/** A whole number from 201 to 299 that differs between neighbours; a seventh of the points has none. */
function valueAt(name: string, { hours, pressureHpa, latitude, longitude }: Place): number | null {
  const key =
    hours * 7 + (Number.isNaN(pressureHpa) ? 0 : pressureHpa * 3) + latitude * 11 + longitude + name.length;
  const mixed = Math.abs(Math.imul(Math.round(key), 2_654_435_761) >>> 8);
  return mixed % 7 === 0 ? null : 201 + (mixed % 99);
}

/** How absent values are marked: by the array's own fill value, or by an attribute. */
const MARKS = ['fill', '_FillValue', 'missing_value', 'list'] as const;
type Mark = (typeof MARKS)[number];

/** The mark of each type, and the offset by which values are packed in it. */
const PACKING: Readonly<Record<TypeName, readonly [mark: number, offset: number]>> = {
  int8: [-128, 250],
  uint8: [255, 200],
  int16: [-32_768, 250],
  uint16: [65_535, 100],
  int32: [-(2 ** 31), 0],
  float16: [-1024, 0],
  float32: [-9999, 0],
  float64: [9.969209968386869e36, 0],
};

const FIELD = { variable: 't', validTime: new Date(435_012 * 3_600_000) } as const;

interface Drawn {
  readonly layout: LayoutName;
  readonly type: TypeName;
  readonly format: 2 | 3;
  readonly codec: CodecName;
  readonly shardIndex: 'start' | 'end' | null;
  readonly mark: Mark;
  readonly tile: readonly [number, number];
  readonly longitudes: readonly number[];
}

function attributesOf({ type, mark, format }: Drawn): Pick<Storage, 'attributes' | 'fill'> {
  const [value, offset] = PACKING[type];
  const packing = offset === 0 ? {} : { scale_factor: 1, add_offset: offset };
  if (mark === 'missing_value') return { attributes: { ...packing, missing_value: value } };
  if (mark === 'list') return { attributes: { ...packing, missing_value: [value, value - 1] } };
  // The fill value of format 3 is no mark.
  if (mark === 'fill' && format === 2) return { attributes: packing, fill: value };
  return { attributes: { ...packing, _FillValue: value } };
}

function storeOf(drawn: Drawn): ForeignStore {
  const [mark, offset] = PACKING[drawn.type];
  const { layout, format, type, codec, shardIndex, tile, longitudes } = drawn;
  return {
    layout,
    storage: { format, type, codec, tile, shardIndex, ...attributesOf(drawn) },
    hours: HOURS,
    levels: LEVELS,
    latitudes: LATITUDES,
    longitudes,
    variables: [
      { name: 't2m', onLevels: false },
      { name: 'temperature', onLevels: true },
    ],
    stored: (name, place) => {
      const value = valueAt(name, { ...place, longitude: (place.longitude + 360) % 360 });
      return value === null ? mark : value - offset;
    },
  };
}

const anyStore: fc.Arbitrary<Drawn> = fc
  .record({
    layout: fc.constantFrom(...(Object.keys(LAYOUTS) as LayoutName[])),
    type: fc.constantFrom(...(Object.keys(PACKING) as TypeName[])),
    format: fc.constantFrom(2 as const, 3 as const),
    codec: fc.constantFrom<CodecName>('none', 'zlib', 'gzip', 'lz4', 'zstd', 'blosc'),
    shardIndex: fc.constantFrom('start' as const, 'end' as const, null),
    mark: fc.constantFrom(...MARKS),
    tile: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 5 })),
    longitudes: fc.constantFrom(
      [0, 90, 180, 270],
      [-180, -90, 0, 90],
      [0, 90, -180, -90],
      [180, 270, 0, 90],
      [270, 180, 90, 0],
    ),
  })
  .map((drawn) => ({
    ...drawn,
    shardIndex: drawn.format === 3 ? drawn.shardIndex : null,
    codec:
      drawn.format === 2 || V3_CODECS.some((name) => name === drawn.codec) ? drawn.codec : ('zstd' as const),
  }));

/** The values of a field by row and, from 0 eastward, by meridian. */
async function fieldsOf(files: Map<string, Uint8Array>, longitudes: readonly number[]) {
  const store = await openGridStore(files, { allowsDayOfYear: true });
  const requests = HOURS.flatMap((hours) => [
    { variable: '2t' as const, pressureHpa: null, hours },
    ...LEVELS.map((pressureHpa) => ({ variable: 't' as const, pressureHpa, hours })),
  ]);
  return Promise.all(
    requests.map(async ({ variable, pressureHpa, hours }) => {
      const field = await store.readField({ variable, pressureHpa, validTime: new Date(hours * 3_600_000) });
      const name = variable === '2t' ? 't2m' : 'temperature';
      const expected = LATITUDES.flatMap((latitude) =>
        longitudes.map((longitude) => {
          const east = (longitude + 360) % 360;
          return valueAt(name, { hours, pressureHpa: pressureHpa ?? Number.NaN, latitude, longitude: east });
        }),
      );
      return { read: Array.from(field, (value) => (Number.isNaN(value) ? null : value)), expected };
    }),
  );
}

describe('a store of others', () => {
  it('in any layout, type, codec and with any mark gives back the values that were written', async () => {
    await fc.assert(
      fc.asyncProperty(anyStore, async (drawn) => {
        const found = await fieldsOf(await foreignFiles(storeOf(drawn)), drawn.longitudes);
        expect(found.map(({ read }) => read)).toEqual(found.map(({ expected }) => expected));
      }),
      { numRuns: 100, seed: 15 },
    );
  });

  it.each(['start' as const, 'end' as const])(
    'a field of a sharded array is read by ranges: the index at its %s once, and no chunk but its own',
    async (shardIndex) => {
      const files = await foreignFiles(
        storeOf({
          ...{ layout: 'time', type: 'float32', format: 3, codec: 'none', shardIndex, mark: '_FillValue' },
          ...{ tile: [3, 2], longitudes: [0, 90, 180, 270] },
        }),
      );
      const ranges: [path: string, bytes: number][] = [];
      const server = createServer((request, response) => {
        const path = (request.url ?? '').slice(1);
        const file = files.get(path);
        const [, from = '', to = ''] = /^bytes=(\d*)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        if (file === undefined) return void response.writeHead(404).end();
        const part =
          from === '' && to !== ''
            ? file.subarray(-Number(to))
            : file.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
        if (path.includes('/c/') && path.startsWith('temperature')) ranges.push([path, part.length]);
        response.writeHead(to === '' ? 200 : 206).end(part);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const store = await openGridStore(
        `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
      );
      expect((await store.readField({ ...FIELD, pressureHpa: 500 })).length).toBe(12);
      // Two tiles of 3 by 2 floats, and an index of eight chunks with its sum.
      const chunk = 3 * 2 * 4;
      expect(ranges.map(([, bytes]) => bytes).sort((a, b) => b - a)).toEqual([8 * 16 + 4, chunk, chunk]);
      const second = await readDigestedField(store, { ...FIELD, pressureHpa: 850 });
      expect(ranges.map(([, bytes]) => bytes).slice(3)).toEqual([chunk, chunk]);
      // The digest is that of a store that has read no index yet.
      const fresh = await openGridStore(files);
      expect((await readDigestedField(fresh, { ...FIELD, pressureHpa: 850 })).digest).toBe(second.digest);
    },
  );
});
