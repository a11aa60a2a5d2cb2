import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GridStore, openGridStore, writeGridStore } from '#grids';
import {
  makeDemonstrationWorld,
  makeSimulatedForecast,
  type SimulatedForecastOptions,
  WORLD_LEAD_HOURS,
} from '#world';
import {
  anomalyCorrelation,
  atLead,
  everyField,
  INIT_TIME,
  meanSquareDifference,
  type OpenedWorld,
  openWorld,
} from './world-fixture.ts';

let directory: string;
let world: OpenedWorld;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'forecast-'));
  await makeDemonstrationWorld({ initTime: INIT_TIME, seed: 7, directory });
  world = await openWorld(directory);
});

afterAll(() => rm(directory, { recursive: true }));

function forecastFiles(options: Partial<SimulatedForecastOptions> = {}): Promise<Map<string, Uint8Array>> {
  const { truth, climatology } = world;
  const leads = WORLD_LEAD_HOURS;
  return makeSimulatedForecast({
    truth,
    climatology,
    initTime: INIT_TIME,
    leads,
    quality: 0.9,
    seed: 1,
    zarrFormat: 2,
    ...options,
  });
}

async function forecast(options: Partial<SimulatedForecastOptions> = {}): Promise<GridStore> {
  return openGridStore(await forecastFiles(options), { requireChunks: true });
}

type Place = readonly ['2t' | 'z', number | null];
const PLACES: readonly Place[] = [
  ['2t', null],
  ['z', 500],
];

async function correlationAt(
  store: GridStore,
  [variable, pressureHpa]: Place,
  lead: number,
): Promise<number> {
  const request = { variable, pressureHpa, validTime: atLead(lead) };
  return anomalyCorrelation(
    await store.readField(request),
    await world.truth.readField(request),
    await world.climatology.readField(request),
  );
}

async function errorAt(store: GridStore, [variable, pressureHpa]: Place, lead: number): Promise<number> {
  const request = { variable, pressureHpa, validTime: atLead(lead) };
  return meanSquareDifference(await store.readField(request), await world.truth.readField(request));
}

describe('simulated forecast', () => {
  it('a forecast has every variable, level and lead of the truth on its grid, without gaps', async () => {
    const store = await forecast();
    expect(store.variables).toEqual(world.truth.variables);
    expect(store.validTimes).toEqual(world.truth.validTimes);
    expect(store.latitudes).toEqual(world.truth.latitudes);
    for await (const { variable, field } of everyField(store)) {
      expect(field.every(Number.isFinite)).toBe(true);
      if (variable === 'q') expect(Math.min(...field)).toBeGreaterThanOrEqual(0);
    }
  });

  it('the correlation of a forecast with the truth falls from lead to lead', async () => {
    const store = await forecast({ quality: 0.9 });
    for (const place of PLACES) {
      const correlations = await Promise.all(
        WORLD_LEAD_HOURS.map((lead) => correlationAt(store, place, lead)),
      );
      expect(correlations[1]).toBeGreaterThan(0.9);
      correlations.forEach((value, index) => {
        if (index > 0) expect(value).toBeLessThan(correlations[index - 1] ?? 0);
      });
    }
  });

  it('a higher quality gives a better forecast, so that miners can be ranked', async () => {
    for (const place of PLACES) {
      const errors: number[] = [];
      for (const quality of [0, 0.5, 1]) errors.push(await errorAt(await forecast({ quality }), place, 96));
      expect(errors[0]).toBeGreaterThan(errors[1] ?? Infinity);
      expect(errors[1]).toBeGreaterThan(errors[2] ?? Infinity);
    }
  });

  it('good forecasts beat the reference and bad ones do not, so that skill has both signs', async () => {
    const good = await forecast({ quality: 1 });
    const bad = await forecast({ quality: 0.2 });
    for (const place of PLACES) {
      const reference = await errorAt(world.reference, place, 120);
      expect(await errorAt(good, place, 120)).toBeLessThan(reference);
      expect(await errorAt(bad, place, 120)).toBeGreaterThan(reference);
    }
  });

  it('an honest forecast is never close enough to the reference to count as a copy', async () => {
    const store = await forecast({ quality: 1 });
    const request = { variable: '2t', pressureHpa: null, validTime: atLead(12) } as const;
    const distance = meanSquareDifference(
      await store.readField(request),
      await world.reference.readField(request),
    );
    expect(distance).toBeGreaterThan(0.0025);
  });

  it('the same seed gives the same bytes, and another seed gives another forecast', async () => {
    const leads = [24];
    const files = await forecastFiles({ leads });
    expect(await forecastFiles({ leads })).toEqual(files);
    expect((await forecastFiles({ leads, seed: 2 })).get('2t/0.0.0')).not.toEqual(files.get('2t/0.0.0'));
  });

  it('a forecast can be written in Zarr format 3', async () => {
    const files = await forecastFiles({ leads: [24], zarrFormat: 3 });
    expect(files.has('zarr.json')).toBe(true);
    expect((await openGridStore(files)).validTimes).toEqual([atLead(24)]);
  });
});

describe('simulated forecast from incomplete stores', () => {
  it('a lead that truth or climatology lacks is left out', async () => {
    const { validTimes } = await forecast({ leads: [6, 24, 36, 48] });
    expect(validTimes).toEqual([atLead(24), atLead(48)]);
  });

  it('a forecast has only the variables and levels that truth and climatology share', async () => {
    const files = new Map<string, Uint8Array>();
    const field = () => new Float32Array(31 * 60).fill(250);
    await writeGridStore(
      files,
      {
        latitudes: world.truth.latitudes,
        longitudes: world.truth.longitudes,
        validTimes: [atLead(24)],
        pressureLevelsHpa: [1000, 500],
        variables: [
          { name: 't', units: 'K', onLevels: true, field },
          { name: '2t', units: 'K', onLevels: false, field },
        ],
      },
      { zarrFormat: 2 },
    );
    const store = await forecast({ climatology: await openGridStore(files) });
    expect(store.variables).toEqual([
      { name: '2t', pressureLevelsHpa: null, units: 'K' },
      { name: 't', pressureLevelsHpa: [500], units: 'K' },
    ]);
  });

  it('no remaining lead or a quality outside 0..1 is a RangeError', async () => {
    await expect(forecastFiles({ leads: [6] })).rejects.toThrow('None of the leads 6 h');
    await expect(forecastFiles({ quality: 1.1 })).rejects.toThrow('0 to 1 is allowed');
    await expect(forecastFiles({ quality: Number.NaN })).rejects.toThrow(RangeError);
  });
});

describe('dishonest simulated forecast', () => {
  it('a copy equals the reference value by value', async () => {
    const store = await forecast({ copyOfReference: world.reference });
    for await (const { field, ...request } of everyField(store)) {
      expect(field).toEqual(await world.reference.readField(request));
    }
  });

  it('a corrupted forecast has NaN in some fields and none in others', async () => {
    const store = await forecast({ corruption: 'nan', leads: [24, 48] });
    const shares: number[] = [];
    for await (const { field } of everyField(store))
      shares.push(field.filter(Number.isNaN).length / field.length);
    expect(shares.some((share) => share === 0)).toBe(true);
    expect(shares.filter((share) => share > 0.09).length).toBeGreaterThan(3);
    expect(shares.every((share) => share === 0 || share > 0.09)).toBe(true);
  });
});
