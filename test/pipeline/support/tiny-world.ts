import { openGridStore, writeGridStore, type GridStore } from '#grids';
import type { Variable } from '#semconv';

const DAY_MILLIS = 86_400_000;
/**
 * T0 of the tiny world, 17 days ago: all truth is due, which takes until 15 days after T0, and nothing of it is given up
 * yet, which happens 30 days after its valid time. A fixed date would leave these days one day.
 */
export const INIT_TIME = new Date((Math.floor(Date.now() / DAY_MILLIS) - 17) * DAY_MILLIS);
/** ISO text of an instant some hours after T0. */
export const isoAfterInit = (hours: number): string =>
  new Date(INIT_TIME.getTime() + hours * 3_600_000).toISOString();
/** The name of a cycle some hours after T0. */
export const cycleAfterInit = (hours: number): string => `${isoAfterInit(hours).slice(0, 13)}Z`;
export const VALIDATOR = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';

const LATITUDES = Float64Array.from([60, 30, 0, -30, -60]);
const LONGITUDES = Float64Array.from([0, 60, 120, 180, 240, 300]);
const LEVELS = [500, 850];
/** Mean and amplitude of each variable, in its unit. */
const SCALES: readonly (readonly [name: Variable, mean: number, amplitude: number, onLevels: boolean])[] = [
  ['2t', 285, 15, false],
  ['msl', 101_000, 1500, false],
  ['10u', 0, 8, false],
  ['z', 54_000, 900, true],
];

/** How a store of the tiny world differs from the truth, as a share of the amplitude. */
export interface TinyStore {
  readonly initTime?: Date;
  readonly leads: readonly number[];
  /** 0 is the truth. */
  readonly error: number;
  /** Differs between stores whose errors must differ. */
  readonly phase?: number;
  readonly without?: readonly Variable[];
  /** Replaces every n-th value by NaN. */
  readonly nanEvery?: number;
  /** Fields that hold nothing but NaN, by variable with level: `z500`. */
  readonly nanIn?: readonly string[];
  /** Multiplies and shifts each value at last. */
  readonly scale?: Readonly<Partial<Record<Variable, number>>>;
}

/** The files of a store of the tiny world. */
export async function tinyFiles(store: TinyStore): Promise<Map<string, Uint8Array>> {
  const { initTime = INIT_TIME, leads, error, phase = 0, without = [], nanEvery = 0, scale = {} } = store;
  const { nanIn = [] } = store;
  const files = new Map<string, Uint8Array>();
  const field = (
    name: Variable,
    mean: number,
    amplitude: number,
    time: Date,
    level: number,
  ): Float32Array => {
    if (nanIn.includes(`${name}${level === 0 ? '' : level}`)) return new Float32Array(30).fill(Number.NaN);
    const hours = (time.getTime() - initTime.getTime()) / 3_600_000;
    const values = Array.from(LATITUDES, (_, row) =>
      Array.from(LONGITUDES, (__, column) => {
        const index = row * LONGITUDES.length + column;
        if (nanEvery > 0 && index % nanEvery === 0) return Number.NaN;
        const weather = Math.sin(hours / 24 + row * 1.3 + column * 0.9 + level / 400);
        const noise = Math.cos(hours / 7 + row * 2.1 + column * 1.7 + phase);
        return (mean + amplitude * (weather + error * noise)) * (scale[name] ?? 1);
      }),
    );
    return Float32Array.from(values.flat());
  };
  await writeGridStore(
    files,
    {
      latitudes: LATITUDES,
      longitudes: LONGITUDES,
      validTimes: leads.map((lead) => new Date(initTime.getTime() + lead * 3_600_000)),
      pressureLevelsHpa: LEVELS,
      variables: SCALES.filter(([name]) => !without.includes(name)).map(
        ([name, mean, amplitude, onLevels]) => ({
          name,
          units: null,
          onLevels,
          field: ({ validTime, pressureHpa }) => field(name, mean, amplitude, validTime, pressureHpa ?? 0),
        }),
      ),
    },
    { zarrFormat: 2 },
  );
  return files;
}

/** A store of the tiny world, opened. */
export const tinyStore = async (store: TinyStore): Promise<GridStore> =>
  openGridStore(await tinyFiles(store));

/** Climatology: the mean of each variable, nearly everywhere the same. */
export const tinyClimatology = (leads: readonly number[], initTime = INIT_TIME): Promise<GridStore> =>
  tinyStore({ initTime, leads, error: -1.4, phase: 2 });
