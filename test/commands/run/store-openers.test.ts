import { describe, expect, it } from 'vitest';
import { isPerCycle, locationOfCycle } from '#commands/run/cycle-location';
import { findStoreProblems, toStoreOpeners } from '#commands/run/store-openers';
import type { GridStore } from '#grids';
import { CategorizedError } from '#semconv';
import { tinyStore } from '#test/pipeline/support/tiny-world';

const INIT_TIME = new Date('2026-03-05T06:00:00Z');
const SHARED = { truth: '/t.zarr', climatology: '/c.zarr', reference: '/r.zarr' };

describe('a location', () => {
  it.each([
    ['https://host/gfs/{YYYYMMDD}.zarr', 'https://host/gfs/20260305.zarr'],
    ['/gfs/{YYYY}/{MM}/{DD}/{HH}.zarr', '/gfs/2026/03/05/06.zarr'],
    ['/gfs/{HH}{HH}.zarr', '/gfs/0606.zarr'],
  ])('a location: %s is %s for a cycle', (location, expected) => {
    expect(isPerCycle('--reference', location)).toBe(true);
    expect(locationOfCycle(location, INIT_TIME)).toBe(expected);
  });

  it('a location without placeholders is the same for every cycle', () => {
    expect(isPerCycle('--truth', '/era5.zarr')).toBe(false);
    expect(locationOfCycle('/era5.zarr', INIT_TIME)).toBe('/era5.zarr');
  });

  it.each(['{date}', '{yyyymmdd}', '{}', '{toString}'])(
    'a location with %s is refused, and the option and what is allowed named',
    (name) => {
      const look = () => isPerCycle('--reference', `/gfs/${name}.zarr`);
      expect(look).toThrow(CategorizedError);
      expect(look).toThrow(
        `--reference names the placeholder ${name}; allowed: {YYYYMMDD}, {YYYY}, {MM}, {DD}, {HH}`,
      );
    },
  );
});

describe('the openers of stores', () => {
  /** Opens the same store everywhere and tells what was opened. */
  async function recorded() {
    const store = await tinyStore({ leads: [12], error: 0 });
    const opened: string[] = [];
    const open = async (option: string, location: string): Promise<GridStore> => {
      opened.push(`${option} ${location}`);
      return store;
    };
    return { opened, open };
  }

  it('the openers of stores open the location of the cycle where there is one for each, and the same one elsewhere', async () => {
    const { opened, open } = await recorded();
    const stores = toStoreOpeners({ ...SHARED, reference: '/gfs/{YYYYMMDD}.zarr' }, open);
    if (!('ofCycle' in stores.reference) || typeof stores.truth !== 'function') throw new Error('mixed up');
    await stores.reference.ofCycle(INIT_TIME);
    await stores.truth();
    expect(opened).toEqual(['--reference /gfs/20260305.zarr', '--truth /t.zarr']);
    expect(stores.analysis).toBeUndefined();
  });

  it('the openers of stores open anew each time, so that a store that grew is seen', async () => {
    const { opened, open } = await recorded();
    const { truth } = toStoreOpeners({ ...SHARED, analysis: '/a.zarr' }, open);
    if (typeof truth !== 'function') throw new Error('not an opener');
    await truth();
    await truth();
    expect(opened).toHaveLength(2);
  });

  it('the openers of stores are refused at once for a placeholder that is not known', () => {
    expect(() => toStoreOpeners({ ...SHARED, analysis: '/{day}.zarr' })).toThrow(
      /--analysis names the placeholder \{day\}/,
    );
  });

  it('the openers of stores are tried where all cycles share them, and each failure is told', async () => {
    const stores = toStoreOpeners({ ...SHARED, reference: '/gfs/{HH}.zarr' }, async (option) => {
      throw new Error(`${option} is away`);
    });
    expect(await findStoreProblems(stores)).toEqual(['--truth is away', '--climatology is away']);
    const { open } = await recorded();
    expect(await findStoreProblems(toStoreOpeners(SHARED, open))).toEqual([]);
  });
});
