import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNamedStore } from '#commands/run/stores';
import type { GridStore } from '#grids';
import { makeDemonstrationWorld } from '#world';

const DAY_MILLIS = 86_400_000;
/**
 * ERA5 of the first lead, which was due six days and six hours after T0, is more than a day late then, and that of the
 * second is due.
 */
const AGE_DAYS = 8;

/** The stores of a world whose forecasts lie behind us: nothing is waited for unless it is missing. */
export interface BrokenWorld {
  readonly initTime: Date;
  readonly stores: Readonly<Record<'truth' | 'climatology' | 'reference' | 'analysis', GridStore>>;
  readonly close: () => Promise<void>;
}

export async function makeBrokenWorld(seed: number): Promise<BrokenWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'barograph-world-'));
  const initTime = new Date((Math.floor(Date.now() / DAY_MILLIS) - AGE_DAYS) * DAY_MILLIS);
  const paths = await makeDemonstrationWorld({ initTime, seed, directory });
  const open = (name: keyof typeof paths) => openNamedStore(`--${name}`, paths[name]);
  const [truth, climatology, reference, analysis] = await Promise.all([
    open('truth'),
    open('climatology'),
    open('reference'),
    open('analysis'),
  ]);
  return {
    initTime,
    stores: { truth, climatology, reference, analysis },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A store as its provider has it before the fields have come. */
export const withoutFields = (store: GridStore): GridStore => ({ ...store, validTimes: [] });
