import type { Grid } from '#grids';

const RADIANS = Math.PI / 180;
const GRAVITY = 9.80665;
/** The coldest day of the northern year. */
const COLDEST_DAY = 20;

/** The levels of the demonstration world, hPa. */
export const WORLD_LEVELS_HPA = [850, 500, 250] as const;
export type WorldLevel = (typeof WORLD_LEVELS_HPA)[number];

/** Means at the equator, their drop towards the poles, and the amplitude of the weather added to them. */
interface LevelState {
  /** Geopotential height, m. */
  readonly height: { readonly equator: number; readonly drop: number; readonly weather: number };
  /** K. */
  readonly temperature: { readonly equator: number; readonly drop: number; readonly weather: number };
  /** kg/kg at the equator; falls with the fourth power of the cosine of latitude. */
  readonly humidity: number;
}

/** Rounded from the zonal means of the atmosphere. */
export const LEVEL_STATES: Readonly<Record<WorldLevel, LevelState>> = {
  850: {
    height: { equator: 1520, drop: 200, weather: 45 },
    temperature: { equator: 291, drop: 34, weather: 4 },
    humidity: 0.012,
  },
  500: {
    height: { equator: 5860, drop: 700, weather: 85 },
    temperature: { equator: 267, drop: 30, weather: 3 },
    humidity: 0.003,
  },
  250: {
    height: { equator: 10_920, drop: 1000, weather: 125 },
    temperature: { equator: 231, drop: 9, weather: 2.5 },
    humidity: 0.000_12,
  },
};

/** Geopotential, m2/s2. */
export function meanGeopotential(level: WorldLevel, grid: Grid, time: Date): Float64Array {
  const { height } = LEVEL_STATES[level];
  return zonal(grid, (latitude) => GRAVITY * (height.equator - height.drop * coldness(latitude, time)));
}

/** K. */
export function meanTemperature(level: WorldLevel, grid: Grid, time: Date): Float64Array {
  const { temperature } = LEVEL_STATES[level];
  return zonal(grid, (latitude) => temperature.equator - temperature.drop * coldness(latitude, time));
}

/** Specific humidity, kg/kg. */
export function meanHumidity(level: WorldLevel, grid: Grid): Float64Array {
  return zonal(
    grid,
    (latitude) => LEVEL_STATES[level].humidity * (0.02 + 0.98 * Math.cos(RADIANS * latitude) ** 4),
  );
}

/** 2 m temperature, K, with a diurnal cycle by solar time. */
export function meanSurfaceTemperature(grid: Grid, time: Date): Float64Array {
  const hourUtc = time.getUTCHours() + time.getUTCMinutes() / 60;
  return perPoint(grid, (latitude, longitude) => {
    const solarHour = hourUtc + longitude / 15;
    const day = 3 * Math.cos(RADIANS * latitude) * Math.cos(((solarHour - 14) / 12) * Math.PI);
    return 301 - 46 * coldness(latitude, time) + day;
  });
}

/** Mean sea level pressure, Pa: subtropical highs near 30 degrees, lows near 60. */
export function meanSeaLevelPressure(grid: Grid): Float64Array {
  return zonal(grid, (latitude) => 101_325 - 700 * Math.cos(6 * RADIANS * latitude) - 300);
}

/** Eastward 10 m wind, m/s: trade winds that blow westward, westerlies beyond them. */
export function meanSurfaceWind(grid: Grid): Float64Array {
  return zonal(grid, (latitude) => -5 * Math.cos(3 * RADIANS * latitude) * Math.cos(RADIANS * latitude));
}

/** 0 at the thermal equator, about 1 at the poles; the winter pole is colder. */
function coldness(latitude: number, time: Date): number {
  const sine = Math.sin(RADIANS * latitude);
  return sine * sine * (1 + 0.2 * sine * winter(time));
}

/** 1 in the middle of the northern winter, -1 in the middle of the southern one. */
function winter(time: Date): number {
  const dayOfYear = (time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000;
  return Math.cos(((dayOfYear - COLDEST_DAY) / 365.25) * 2 * Math.PI);
}

function zonal(grid: Grid, value: (latitude: number) => number): Float64Array {
  return perPoint(grid, value);
}

function perPoint(grid: Grid, value: (latitude: number, longitude: number) => number): Float64Array {
  const width = grid.longitudes.length;
  const field = new Float64Array(grid.latitudes.length * width);
  grid.latitudes.forEach((latitude, row) => {
    grid.longitudes.forEach((longitude, column) => {
      field[row * width + column] = value(latitude, longitude);
    });
  });
  return field;
}
