import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VARIABLES } from '#semconv';
import { makeDemonstrationWorld, makeWorldInMemory, WORLD_LEAD_HOURS } from '#world';
import {
  anomalyCorrelation,
  atLead,
  everyField,
  INIT_TIME,
  meanSquareDifference,
  type OpenedWorld,
  openWorld,
  withWorld,
} from './world-fixture.ts';

let directory: string;
let world: OpenedWorld;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'world-'));
  await makeDemonstrationWorld({ initTime: INIT_TIME, seed: 7, directory });
  world = await openWorld(directory);
});

afterAll(() => rm(directory, { recursive: true }));

async function contentsOf(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    files.map(async (file) => [file.slice(root.length), (await readFile(file)).toString('hex')] as const),
  );
  return new Map(contents.sort());
}

/** Plausible range by variable and level; the bounds of the sanity checks where there are any. */
const PLAUSIBLE: Readonly<Record<string, readonly [number, number]>> = {
  '2t': [180, 340],
  msl: [90_000, 110_000],
  '10u': [-40, 40],
  '10v': [-40, 40],
  't 850': [220, 320],
  't 500': [200, 290],
  't 250': [190, 260],
  'z 850': [9000, 17_000],
  'z 500': [45_000, 60_000],
  'z 250': [85_000, 115_000],
  'q 850': [0, 0.03],
  'q 500': [0, 0.01],
  'q 250': [0, 0.001],
};
const WIND = [-120, 120] as const;

describe('demonstration world', () => {
  it('the world has all nine variables at every lead, and an analysis at the lead of day one', () => {
    const { truth, reference, climatology, analysis } = world;
    for (const store of [truth, reference, climatology]) {
      expect(store.variables.map(({ name }) => name)).toEqual(VARIABLES);
      expect(store.validTimes).toEqual(WORLD_LEAD_HOURS.map(atLead));
      expect([store.latitudes.length, store.longitudes.length]).toEqual([31, 60]);
    }
    expect(analysis.validTimes).toEqual([atLead(12)]);
    expect(truth.variables.find(({ name }) => name === 'z')?.pressureLevelsHpa).toEqual([850, 500, 250]);
    expect(truth.variables.every(({ units }) => units !== null)).toBe(true);
  });

  it('the fields of the world pass the sanity checks, so that no honest forecast is rejected', async () => {
    for (const store of [world.truth, world.reference, world.climatology, world.analysis]) {
      for await (const { variable, pressureHpa, field } of everyField(store)) {
        const [low, high] =
          PLAUSIBLE[pressureHpa === null ? variable : `${variable} ${String(pressureHpa)}`] ?? WIND;
        expect(field.every((value) => value >= low && value <= high)).toBe(true);
      }
    }
  });

  it('the weather of the world moves: a place differs from day to day', async () => {
    const request = { variable: 'z', pressureHpa: 500 } as const;
    const first = await world.truth.readField({ ...request, validTime: atLead(24) });
    const later = await world.truth.readField({ ...request, validTime: atLead(120) });
    expect(Math.sqrt(meanSquareDifference(first, later))).toBeGreaterThan(100);
  });

  it('the correlation of the reference with the truth falls with the lead and stays above .3', async () => {
    for (const [variable, pressureHpa] of [
      ['2t', null],
      ['z', 500],
    ] as const) {
      const correlations: number[] = [];
      for (const validTime of world.truth.validTimes) {
        const request = { variable, pressureHpa, validTime };
        const fields = [world.reference, world.truth, world.climatology].map((store) =>
          store.readField(request),
        );
        const [reference, truth, climatology] = await Promise.all(fields);
        if (reference && truth && climatology) {
          correlations.push(anomalyCorrelation(reference, truth, climatology));
        }
      }
      expect(correlations).toHaveLength(WORLD_LEAD_HOURS.length);
      expect(correlations[1]).toBeGreaterThan(0.95);
      expect(correlations.at(-1)).toBeGreaterThan(0.3);
      expect(correlations.at(-1)).toBeLessThan(0.9);
      expect(correlations[0]).toBeGreaterThan(correlations[5] ?? 1);
      expect(correlations[5]).toBeGreaterThan(correlations.at(-1) ?? 1);
    }
  });

  it('the analysis is closer to the truth than the reference, but not equal to it', async () => {
    const request = { variable: 'msl', pressureHpa: null, validTime: atLead(12) } as const;
    const truth = await world.truth.readField(request);
    const analysisError = meanSquareDifference(await world.analysis.readField(request), truth);
    const referenceError = meanSquareDifference(await world.reference.readField(request), truth);
    expect(analysisError).toBeGreaterThan(0);
    expect(analysisError).toBeLessThan(referenceError);
  });

  it('the same seed gives the same bytes, and another seed gives another world', async () => {
    const contents = await contentsOf(directory);
    expect(contents.size).toBeGreaterThan(600);
    expect(await withWorld(7, contentsOf)).toEqual(contents);
    expect(await withWorld(8, contentsOf)).not.toEqual(contents);
  });

  it('the world in memory equals that on disk, and its creation yields to the event loop', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const stores = await makeWorldInMemory({ initTime: INIT_TIME, seed: 7 });
    clearInterval(timer);
    const files = Object.entries<ReadonlyMap<string, Uint8Array>>({ ...stores }).flatMap(([name, store]) =>
      [...store].map(
        ([path, bytes]) => [`/${name}.zarr/${path}`, Buffer.from(bytes).toString('hex')] as const,
      ),
    );
    expect(new Map(files.sort())).toEqual(await contentsOf(directory));
    expect(turns).toBeGreaterThan(10);
  });
});
