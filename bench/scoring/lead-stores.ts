import { join } from 'node:path';
import { type Grid, type GridDataset, writeGridStore } from '#grids';
import { LEAD_ROLES, LEAD_VARIABLES, leadField, type LeadRole } from './lead-fields.ts';

/** The levels of ERA5 that forecasts are scored on, hPa: with the four surface variables 69 fields. */
const LEVELS_HPA = [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000] as const;
export const LEAD_TIME = new Date('2026-11-02T00:00:00Z');

/** Paths of the stores that one lead is scored with. */
export type LeadStores = Readonly<Record<LeadRole, string>>;

/** Writes truth, climatology, a reference and a forecast of one instant, one chunk for each field. */
export async function writeLeadStores(directory: string, grid: Grid): Promise<LeadStores> {
  const pathOf = (role: LeadRole): string => join(directory, `${role}.zarr`);
  for (const role of LEAD_ROLES)
    await writeGridStore(pathOf(role), leadDataset(role, grid), { zarrFormat: 2 });
  return Object.fromEntries(LEAD_ROLES.map((role) => [role, pathOf(role)])) as LeadStores;
}

/** Writes a forecast like that of `writeLeadStores` that holds nothing but NaN; returns its path. */
export async function writeNanForecast(directory: string, grid: Grid): Promise<string> {
  const path = join(directory, 'nan.zarr');
  const nan = new Float32Array(grid.latitudes.length * grid.longitudes.length).fill(Number.NaN);
  const whole = leadDataset('forecast', grid);
  const variables = whole.variables.map((variable) => ({ ...variable, field: () => nan }));
  await writeGridStore(path, { ...whole, variables }, { zarrFormat: 2 });
  return path;
}

const leadDataset = (role: LeadRole, grid: Grid): GridDataset => ({
  ...grid,
  validTimes: [LEAD_TIME],
  pressureLevelsHpa: LEVELS_HPA,
  variables: LEAD_VARIABLES.map(([name, onLevels]) => ({
    name,
    units: null,
    onLevels,
    field: ({ pressureHpa }) => leadField({ role, name, pressureHpa }, grid),
  })),
});
