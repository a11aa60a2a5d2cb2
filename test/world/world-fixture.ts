import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GridStore, openGridStore } from '#grids';
import { makeDemonstrationWorld } from '#world';

export const INIT_TIME = new Date('2026-01-05T00:00:00Z');

export interface OpenedWorld {
  readonly truth: GridStore;
  readonly reference: GridStore;
  readonly climatology: GridStore;
  readonly analysis: GridStore;
}

export function atLead(hours: number): Date {
  return new Date(INIT_TIME.getTime() + hours * 3_600_000);
}

/** Makes a world in a new directory, opens its stores and returns them; the directory is removed at once. */
export async function withWorld<T>(seed: number, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'world-'));
  try {
    await makeDemonstrationWorld({ initTime: INIT_TIME, seed, directory });
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

export async function openWorld(directory: string): Promise<OpenedWorld> {
  const [truth, reference, climatology, analysis] = await Promise.all(
    (['truth', 'reference', 'climatology', 'analysis'] as const).map((name) =>
      openGridStore(join(directory, `${name}.zarr`), { requireChunks: true }),
    ),
  );
  if (!truth || !reference || !climatology || !analysis) throw new Error('a store of the world is absent');
  return { truth, reference, climatology, analysis };
}

/** Every field of a store, with variable, level and time. */
export async function* everyField(store: GridStore) {
  for (const { name, pressureLevelsHpa } of store.variables) {
    for (const pressureHpa of pressureLevelsHpa ?? [null]) {
      for (const validTime of store.validTimes) {
        const field = await store.readField({ variable: name, pressureHpa, validTime });
        yield { variable: name, pressureHpa, validTime, field };
      }
    }
  }
}

/** Correlation of the anomalies of two fields from a mean field, unweighted. */
export function anomalyCorrelation(first: Float32Array, second: Float32Array, mean: Float32Array): number {
  let [sumBoth, sumFirst, sumSecond] = [0, 0, 0];
  for (let index = 0; index < mean.length; index += 1) {
    const a = (first[index] ?? 0) - (mean[index] ?? 0);
    const b = (second[index] ?? 0) - (mean[index] ?? 0);
    sumBoth += a * b;
    sumFirst += a * a;
    sumSecond += b * b;
  }
  return sumBoth / Math.sqrt(sumFirst * sumSecond);
}

export function meanSquareDifference(first: Float32Array, second: Float32Array): number {
  return first.reduce((sum, value, index) => sum + (value - (second[index] ?? 0)) ** 2, 0) / first.length;
}
