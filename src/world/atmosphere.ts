import type { Grid } from '#grids';
import type { Variable } from '#semconv';
import { geostrophicWind } from './geostrophic-wind.ts';
import {
  LEVEL_STATES,
  meanGeopotential,
  meanHumidity,
  meanSeaLevelPressure,
  meanSurfaceTemperature,
  meanSurfaceWind,
  meanTemperature,
  type WorldLevel,
} from './mean-state.ts';
import { type PlanetaryWave, wavePattern } from './planetary-waves.ts';

const GRAVITY = 9.80665;
/** Air density by which a geopotential anomaly at 850 hPa becomes a pressure anomaly at sea level, kg/m3. */
const SURFACE_DENSITY = 1.2;
/** Surface wind as a share of the wind at 850 hPa: surface friction. */
const SURFACE_WIND_SHARE = 0.5;
/** Radians by which temperature lags behind height: warm air ahead of a trough. */
const TEMPERATURE_TILT = 0.7;
/** Radians by which waves lean west for each level up. */
const LEVEL_TILT: Readonly<Record<WorldLevel, number>> = { 850: 0, 500: 0.4, 250: 0.7 };
/** Size of humidity anomalies as a share of the mean. */
const HUMIDITY_SHARE = 0.25;

/** A surface variable, or a variable on one of the world's levels. */
export interface FieldPlace {
  readonly variable: Variable;
  /** null at the surface. */
  readonly level: WorldLevel | null;
}

/** The mean state at one time, in the variable's unit. */
export function climateField({ variable, level }: FieldPlace, grid: Grid, time: Date): Float64Array {
  const upperLevel = level ?? 850;
  switch (variable) {
    case '2t':
      return meanSurfaceTemperature(grid, time);
    case 'msl':
      return meanSeaLevelPressure(grid);
    case '10u':
      return meanSurfaceWind(grid);
    case '10v':
    case 'v':
      return new Float64Array(grid.latitudes.length * grid.longitudes.length);
    case 'u':
      return geostrophicWind(meanGeopotential(upperLevel, grid, time), grid).eastward;
    case 't':
      return meanTemperature(upperLevel, grid, time);
    case 'q':
      return meanHumidity(upperLevel, grid);
    case 'z':
      return meanGeopotential(upperLevel, grid, time);
  }
}

export interface Weather {
  readonly waves: readonly PlanetaryWave[];
  /** Hours that the waves have travelled. */
  readonly hours: number;
}

/**
 * Anomaly of the waves from the mean state, in the variable's unit: winds in geostrophic balance, all from one pattern.
 */
export function weatherField(
  { variable, level }: FieldPlace,
  grid: Grid,
  { waves, hours }: Weather,
): Float64Array {
  const upperLevel = level ?? 850;
  const state = LEVEL_STATES[upperLevel];
  const pattern = (lag: number): Float64Array =>
    wavePattern(waves, grid, { hours, tilt: LEVEL_TILT[upperLevel] + lag });
  const geopotential = (): Float64Array => pattern(0).map((value) => GRAVITY * state.height.weather * value);
  const wind = () => geostrophicWind(geopotential(), grid);
  switch (variable) {
    case 'z':
      return geopotential();
    case 'u':
      return wind().eastward;
    case 'v':
      return wind().northward;
    case 't':
      return pattern(TEMPERATURE_TILT).map((value) => state.temperature.weather * value);
    case 'q': {
      const mean = meanHumidity(upperLevel, grid);
      return pattern(2 * TEMPERATURE_TILT).map((value, index) => HUMIDITY_SHARE * (mean[index] ?? 0) * value);
    }
    case '2t':
      return pattern(TEMPERATURE_TILT).map((value) => 1.2 * state.temperature.weather * value);
    case 'msl':
      return geopotential().map((value) => SURFACE_DENSITY * value);
    case '10u':
      return wind().eastward.map((value) => SURFACE_WIND_SHARE * value);
    case '10v':
      return wind().northward.map((value) => SURFACE_WIND_SHARE * value);
  }
}
