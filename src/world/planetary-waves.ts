import type { Grid } from '#grids';
import type { Random } from './seeded-random.ts';

const RADIANS = Math.PI / 180;
const WAVE_COUNT = 16;
type Range = readonly [from: number, to: number];
/** Zonal wave numbers of the waves that carry mid-latitude weather. */
const WAVE_NUMBERS: Range = [2, 8];
/** Eastward speed of the crests in degrees of longitude an hour: about 5 to 15 m/s at 45 degrees. */
const CREST_SPEEDS: Range = [0.2, 0.6];
const TROPICS: Range = [-15, 15];
const NORTHERN_STORM_TRACK: Range = [35, 60];
const SOUTHERN_STORM_TRACK: Range = [-60, -35];
/** Degrees between which waves have their centres, in turn. */
const BANDS = [
  NORTHERN_STORM_TRACK,
  SOUTHERN_STORM_TRACK,
  NORTHERN_STORM_TRACK,
  SOUTHERN_STORM_TRACK,
  TROPICS,
];

/** One wave that travels round the globe within a band of latitudes. */
export interface PlanetaryWave {
  readonly waveNumber: number;
  readonly amplitude: number;
  /** Radians at hour 0. */
  readonly phase: number;
  /** Degrees of longitude an hour, eastward. */
  readonly crestSpeed: number;
  /** Degrees. */
  readonly centreLatitude: number;
  /** Degrees from the centre to where the amplitude has fallen to 1/e. */
  readonly halfWidth: number;
}

/** Draws waves of both hemispheres and the tropics whose sum has a variance of about 1 in mid-latitudes. */
export function drawWaves(random: Random): PlanetaryWave[] {
  const between = ([from, to]: Range): number => from + (to - from) * random();
  return Array.from({ length: WAVE_COUNT }, (_, index) => ({
    waveNumber: Math.round(between(WAVE_NUMBERS)),
    amplitude: between([0.5, 1]),
    phase: between([0, 2 * Math.PI]),
    crestSpeed: between(CREST_SPEEDS),
    centreLatitude: between(BANDS[index % BANDS.length] ?? TROPICS),
    halfWidth: between([14, 24]),
  }));
}

export interface WaveMoment {
  /** Hours since the waves were at their initial phase. */
  readonly hours: number;
  /** Radians by which the pattern lags to the west, as waves tilt with height. */
  readonly tilt?: number;
}

/** The sum of the waves at one moment: dimensionless, about -3 to 3, row-major (latitude, longitude), 0 at the poles. */
export function wavePattern(waves: readonly PlanetaryWave[], grid: Grid, moment: WaveMoment): Float64Array {
  const width = grid.longitudes.length;
  const pattern = new Float64Array(grid.latitudes.length * width);
  for (const wave of waves) {
    const alongLongitude = crests(wave, grid, moment);
    grid.latitudes.forEach((latitude, row) => {
      const envelope = wave.amplitude * envelopeAt(wave, latitude);
      for (let column = 0; column < width; column += 1) {
        const index = row * width + column;
        pattern[index] = (pattern[index] ?? 0) + envelope * (alongLongitude[column] ?? 0);
      }
    });
  }
  return pattern;
}

/** The wave along a circle of latitude, from -1 to 1. */
function crests(
  { waveNumber, phase, crestSpeed }: PlanetaryWave,
  grid: Grid,
  { hours, tilt = 0 }: WaveMoment,
): Float64Array {
  return grid.longitudes.map((longitude) =>
    Math.cos(waveNumber * RADIANS * (longitude - crestSpeed * hours) + phase + tilt),
  );
}

/** Strength at a latitude: a bell around the centre, and nothing at the poles, where meridians meet. */
function envelopeAt({ centreLatitude, halfWidth }: PlanetaryWave, latitude: number): number {
  const distance = (latitude - centreLatitude) / halfWidth;
  return Math.exp(-distance * distance) * Math.cos(RADIANS * latitude);
}
