import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openGridStore, type GridStore } from '#grids';
import type { PipelineStores } from '#pipeline';
import { foreignFiles, type LayoutName, type Storage } from '#test/grids/foreign-store';
import { useFreshBench } from './support/fresh-bench.ts';
import { ALL_LEADS, goodForecast, tinyStores } from './support/pipeline-bench.ts';
import { stubMiners } from './support/stub-miners.ts';
import { INIT_TIME, tinyClimatology, tinyStore } from './support/tiny-world.ts';

const { spans, bench } = useFreshBench();
let forecast: ReadonlyMap<string, Uint8Array>;
beforeAll(async () => {
  forecast = await goodForecast();
});

const HOURS = ALL_LEADS.map((lead) => INIT_TIME.getTime() / 3_600_000 + lead);
const NAMES = {
  '2t': '2m_temperature',
  msl: 'mean_sea_level_pressure',
  '10u': 'u10',
  z: 'geopotential',
} as const;
const STORAGE: Storage = { format: 2, type: 'float32', codec: 'zlib', tile: [3, 4], fill: -9999 };

/** The files of a store of the tiny world in another layout, its longitudes from -180. */
async function inLayout(plain: GridStore, layout: LayoutName, storage: Storage = STORAGE) {
  const fields = new Map<string, Float32Array>();
  const keyOf = (name: string, hours: number, level: number) => [name, hours, level].join(' ');
  const variables = plain.variables.map(({ name, pressureLevelsHpa }) => ({
    name: NAMES[name as keyof typeof NAMES],
    variable: name,
    levels: pressureLevelsHpa,
  }));
  for (const { name, variable, levels } of variables)
    for (const hours of HOURS)
      for (const pressureHpa of levels ?? [null]) {
        const validTime = new Date(hours * 3_600_000);
        fields.set(
          keyOf(name, hours, pressureHpa ?? NaN),
          await plain.readField({ variable, pressureHpa, validTime }),
        );
      }
  const { latitudes, longitudes } = plain;
  const west = Array.from(longitudes, (longitude) => (longitude >= 180 ? longitude - 360 : longitude));
  return foreignFiles({
    layout,
    storage,
    hours: HOURS,
    levels: [500, 850],
    latitudes: [...latitudes],
    longitudes: west.toSorted((a, b) => a - b),
    variables: variables.map(({ name, levels }) => ({ name, onLevels: levels !== null })),
    stored: (name, { hours, pressureHpa, latitude, longitude }) => {
      const place = latitudes.indexOf(latitude) * longitudes.length + west.indexOf(longitude);
      // Days and hours of a climatology that no lead has hold no value.
      return fields.get(keyOf(name, hours, pressureHpa))?.[place] ?? -9999;
    },
  });
}

/** Serves files over HTTP with ranges. */
async function serve(files: ReadonlyMap<string, Uint8Array>): Promise<{ url: string; parts: () => number }> {
  let parts = 0;
  const server = createServer((request, response) => {
    const file = files.get((request.url ?? '').slice(1));
    const [, from = '', to = ''] = /^bytes=(\d*)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (file === undefined) return void response.writeHead(404).end();
    if (to === '') return void response.end(file);
    parts += 1;
    response
      .writeHead(206)
      .end(from === '' ? file.subarray(-Number(to)) : file.subarray(Number(from), Number(to) + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`, parts: () => parts };
}

/** To 12 digits, because points that are added in another order differ in the last ones. */
const rounded = (value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(12)) : value;

/** The component scores of a run with these stores, without how long they took and from which bytes, which differ. */
async function componentsOf(stores: PipelineStores): Promise<readonly object[]> {
  spans.reset();
  const stub = stubMiners([{ files: forecast }]);
  const pipeline = bench.open(stub, stores);
  await bench.run(pipeline, stub);
  await pipeline.stop();
  const events = spans
    .of()
    .flatMap((span) => span.events.filter(({ name }) => name === 'weather.component_score'));
  return events
    .map(({ attributes = {} }) =>
      Object.fromEntries(
        Object.entries({ ...attributes, 'weather.component.calculation_duration_ms': 0 })
          .filter(([name]) => !name.endsWith('_digest'))
          .map(([name, value]) => [name, rounded(value)]),
      ),
    )
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

describe('a run on stores of others', () => {
  it('truth in shards over HTTP, climatology by day of year and a reference by lead give the same component scores', async () => {
    const plain = await tinyStores();
    const expected = await componentsOf(plain);
    const truth = await tinyStore({ leads: ALL_LEADS, error: 0 });
    const reference = await tinyStore({ leads: ALL_LEADS, error: 0.4, phase: 5 });
    const sharded: Storage = { ...STORAGE, format: 3, codec: 'zstd', shardIndex: 'start', fill: 'NaN' };
    const served = await serve(await inLayout(truth, 'time', sharded));
    const climatology = await inLayout(await tinyClimatology(ALL_LEADS), 'hour × dayofyear');
    const found = await componentsOf({
      ...plain,
      truth: () => openGridStore(served.url),
      climatology: await openGridStore(climatology, { allowsDayOfYear: true }),
      reference: await openGridStore(await inLayout(reference, 'T0 × lead')),
    });
    // Day one has z at 500 hPa alone, and no 10v; each of both leads has z at two levels.
    expect(expected).toHaveLength(4 + 2 * 5);
    expect(served.parts()).toBeGreaterThan(0);
    expect(found).toEqual(expected);
  });

  it('truth whose fields hold no value yet is waited for, so that no miner is blamed for it', async () => {
    const truth = await tinyStore({ leads: ALL_LEADS, error: 0 });
    const empty = await tinyStore({ leads: ALL_LEADS, error: 0, nanEvery: 1 });
    let reads = 0;
    const expected = await componentsOf(await tinyStores());
    const found = await componentsOf(
      await tinyStores({
        truth: {
          ...truth,
          readField: (request) => {
            reads += 1;
            return (reads <= 5 ? empty : truth).readField(request);
          },
        },
      }),
    );
    expect(found).toEqual(expected);
    const waits = spans
      .of('era5')
      .filter(({ attributes }) => attributes['weather.step.status'] === 'waiting_for_truth');
    expect(waits.length).toBeGreaterThan(0);
  });
});
