import { describe, expect, it } from 'vitest';
import { isPerCycle, locationOfCycle } from '#commands/run/cycle-location';
import { findStoreProblems, toStoreOpeners } from '#commands/run/store-openers';
import type { GridStore } from '#grids';
import { CategorizedError } from '#semconv';
import { tinyStore } from '#test/pipeline/support/tiny-world';

const INIT_TIME = new Date('2026-03-05T06:00:00Z');
const SHARED = { truth: '/t.zarr', climatology: '/c.zarr', reference: '/r.zarr' };

describe('locationOfCycle', () => {
  it.each([
    ['https://host/gfs/{YYYYMMDD}.zarr', 'https://host/gfs/20260305.zarr'],
    ['/gfs/{YYYY}/{MM}/{DD}/{HH}.zarr', '/gfs/2026/03/05/06.zarr'],
    ['/gfs/{HH}{HH}.zarr', '/gfs/0606.zarr'],
  ])('the location %s of a cycle is %s', (location, expected) => {
    expect(isPerCycle('--reference', location)).toBe(true);
    expect(locationOfCycle(location, INIT_TIME)).toBe(expected);
  });

  it('a location without placeholders is the same for every cycle', () => {
    expect(isPerCycle('--truth', '/era5.zarr')).toBe(false);
    expect(locationOfCycle('/era5.zarr', INIT_TIME)).toBe('/era5.zarr');
  });

  it.each(['{date}', '{yyyymmdd}', '{}', '{toString}'])(
    'the placeholder %s is refused with the option and the allowed ones',
    (name) => {
      const look = () => isPerCycle('--reference', `/gfs/${name}.zarr`);
      expect(look).toThrow(CategorizedError);
      expect(look).toThrow(
        `--reference names the placeholder ${name}; allowed: {YYYYMMDD}, {YYYY}, {MM}, {DD}, {HH}`,
      );
    },
  );
});

describe('toStoreOpeners', () => {
  /** Opens the same store everywhere and lists the locations that were opened. */
  async function recorded() {
    const store = await tinyStore({ leads: [12], error: 0 });
    const opened: string[] = [];
    const open = async (option: string, location: string): Promise<GridStore> => {
      opened.push(`${option} ${location}`);
      return store;
    };
    return { opened, open };
  }

  it('an opener opens the location of the cycle if it has placeholders, else the one location', async () => {
    const { opened, open } = await recorded();
    const stores = toStoreOpeners({ ...SHARED, reference: '/gfs/{YYYYMMDD}.zarr' }, open);
    if (!('ofCycle' in stores.reference) || typeof stores.truth !== 'function') throw new Error('mixed up');
    await stores.reference.ofCycle(INIT_TIME);
    await stores.truth();
    expect(opened).toEqual(['--reference /gfs/20260305.zarr', '--truth /t.zarr']);
    expect(stores.analysis).toBeUndefined();
  });

  it('an opener opens its store at each call, so that appended data are seen', async () => {
    const { opened, open } = await recorded();
    const { truth } = toStoreOpeners({ ...SHARED, analysis: '/a.zarr' }, open);
    if (typeof truth !== 'function') throw new Error('not an opener');
    await truth();
    await truth();
    expect(opened).toHaveLength(2);
  });

  it('an unknown placeholder is refused before anything is opened', () => {
    expect(() => toStoreOpeners({ ...SHARED, analysis: '/{day}.zarr' })).toThrow(
      /--analysis names the placeholder \{day\}/,
    );
  });

  it('shared stores are opened once as a check, and each failure is returned as a message', async () => {
    const stores = toStoreOpeners({ ...SHARED, reference: '/gfs/{HH}.zarr' }, async (option) => {
      throw new Error(`${option} is away`);
    });
    expect(await findStoreProblems(stores)).toEqual(['--truth is away', '--climatology is away']);
    const { open } = await recorded();
    expect(await findStoreProblems(toStoreOpeners(SHARED, open))).toEqual([]);
  });
});
