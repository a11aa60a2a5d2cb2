import type { Variable } from './vocabulary.ts';

/** A conversion of a unit to that of the variable: `value * factor + offset`. */
export interface UnitConversion {
  readonly factor: number;
  readonly offset: number;
}

/** How stores of the field call a forecast variable, and the units in which they hold it. */
export interface VariableNames {
  /** Names of the array: short names of ECMWF, of the Climate Data Store, WeatherBench 2 and ARCO-ERA5, GFS and dynamical.org. */
  readonly aliases: readonly string[];
  /** CF standard name. */
  readonly standardName: string;
  /** Whether it has levels, which tells the 2 m temperature from that of the upper air under one standard name. */
  readonly isOnLevels: boolean;
  /** The unit of scores, as CF writes it. */
  readonly unit: string;
  /** Other units that are converted. */
  readonly units: Readonly<Record<string, UnitConversion>>;
}

/** Standard gravity, m/s2: geopotential per metre of geopotential height. */
const STANDARD_GRAVITY = 9.80665;
const KNOT = 1852 / 3600;

const times = (factor: number): UnitConversion => ({ factor, offset: 0 });

const TEMPERATURE = {
  unit: 'K',
  units: { degC: { factor: 1, offset: 273.15 }, degF: { factor: 5 / 9, offset: 273.15 - (32 * 5) / 9 } },
} as const;
const WIND = { unit: 'm s-1', units: { 'km h-1': times(1 / 3.6), knot: times(KNOT) } } as const;

/** The names and units of the nine forecast variables. */
export const VARIABLE_NAMES: Readonly<Record<Variable, VariableNames>> = {
  '2t': {
    aliases: ['2t', 't2m', '2m_temperature', 'temperature_2m', 'tas'],
    standardName: 'air_temperature',
    isOnLevels: false,
    ...TEMPERATURE,
  },
  msl: {
    aliases: [
      'msl',
      'mean_sea_level_pressure',
      'prmsl',
      'pressure_reduced_to_mean_sea_level',
      'mslet',
      'psl',
    ],
    standardName: 'air_pressure_at_mean_sea_level',
    isOnLevels: false,
    unit: 'Pa',
    units: { hPa: times(100), kPa: times(1000) },
  },
  '10u': {
    aliases: ['10u', 'u10', '10m_u_component_of_wind', 'wind_u_10m', 'uas'],
    standardName: 'eastward_wind',
    isOnLevels: false,
    ...WIND,
  },
  '10v': {
    aliases: ['10v', 'v10', '10m_v_component_of_wind', 'wind_v_10m', 'vas'],
    standardName: 'northward_wind',
    isOnLevels: false,
    ...WIND,
  },
  t: {
    aliases: ['t', 'temperature', 'ta'],
    standardName: 'air_temperature',
    isOnLevels: true,
    ...TEMPERATURE,
  },
  u: {
    aliases: ['u', 'u_component_of_wind', 'ua'],
    standardName: 'eastward_wind',
    isOnLevels: true,
    ...WIND,
  },
  v: {
    aliases: ['v', 'v_component_of_wind', 'va'],
    standardName: 'northward_wind',
    isOnLevels: true,
    ...WIND,
  },
  q: {
    aliases: ['q', 'specific_humidity', 'hus'],
    standardName: 'specific_humidity',
    isOnLevels: true,
    unit: 'kg kg-1',
    units: { '1': times(1), 'g kg-1': times(1e-3) },
  },
  z: {
    aliases: ['z', 'geopotential', 'gh', 'geopotential_height', 'zg'],
    standardName: 'geopotential',
    isOnLevels: true,
    unit: 'm2 s-2',
    units: {
      'J kg-1': times(1),
      m: times(STANDARD_GRAVITY),
      gpm: times(STANDARD_GRAVITY),
      dam: times(10 * STANDARD_GRAVITY),
    },
  },
};

/** Spellings of a unit, in lower case, by the one that the table has. */
const SPELLINGS: Readonly<Record<string, string>> = {
  kelvin: 'K',
  kelvins: 'K',
  degk: 'K',
  deg_k: 'K',
  c: 'degC',
  '°c': 'degC',
  celsius: 'degC',
  deg_c: 'degC',
  degree_celsius: 'degC',
  degrees_celsius: 'degC',
  degree_c: 'degC',
  degrees_c: 'degC',
  f: 'degF',
  '°f': 'degF',
  fahrenheit: 'degF',
  deg_f: 'degF',
  degree_fahrenheit: 'degF',
  degrees_fahrenheit: 'degF',
  pascal: 'Pa',
  pascals: 'Pa',
  hectopascal: 'hPa',
  hectopascals: 'hPa',
  mbar: 'hPa',
  mb: 'hPa',
  millibar: 'hPa',
  millibars: 'hPa',
  kilopascal: 'kPa',
  'm/s': 'm s-1',
  'meter second-1': 'm s-1',
  'meters second-1': 'm s-1',
  'metre second-1': 'm s-1',
  'meter/second': 'm s-1',
  'km/h': 'km h-1',
  kt: 'knot',
  kts: 'knot',
  knots: 'knot',
  'kg/kg': 'kg kg-1',
  'kilogram kilogram-1': 'kg kg-1',
  '': '1',
  dimensionless: '1',
  'g/kg': 'g kg-1',
  'm2/s2': 'm2 s-2',
  'meter2 second-2': 'm2 s-2',
  'j/kg': 'J kg-1',
  meter: 'm',
  meters: 'm',
  metre: 'm',
  metres: 'm',
  'geopotential meter': 'gpm',
  'geopotential meters': 'gpm',
  'geopotential metre': 'gpm',
  'geopotential metres': 'gpm',
  gpdm: 'dam',
  decameter: 'dam',
};

/** One spelling for each unit: powers as CF writes them (`m s**-1`, `m^2 s^-2`, `m·s⁻¹` are those of UDUNITS as well). */
function spellingOf(unit: string): string {
  const plain = unit
    .trim()
    .replaceAll(/\*\*|\^/g, '')
    .replaceAll('⁻', '-')
    .replaceAll('¹', '1')
    .replaceAll('²', '2')
    .replaceAll(/[·.*]/g, ' ')
    .replaceAll(/\s+/g, ' ');
  const lower = plain.toLowerCase();
  return (Object.hasOwn(SPELLINGS, lower) ? SPELLINGS[lower] : undefined) ?? plain;
}

/** Names that mean a quantity in another unit than the variable's own: geopotential heights are in metres. */
const UNITS_OF_NAMES: Readonly<Record<string, string>> = { gh: 'gpm', geopotential_height: 'gpm', zg: 'gpm' };

/**
 * How values in a unit become those of the variable; null for a unit that is none of it.
 *
 * @param unit absent units are the variable's own, or those that the name of the array means
 */
export function conversionOf(
  variable: Variable,
  unit: string | null,
  name: string = variable,
): UnitConversion | null {
  const names = VARIABLE_NAMES[variable];
  if (unit === null) return names.units[UNITS_OF_NAMES[name] ?? ''] ?? times(1);
  const spelling = spellingOf(unit);
  if (spelling.toLowerCase() === names.unit.toLowerCase()) return times(1);
  const found = Object.entries(names.units).find(([name]) => name.toLowerCase() === spelling.toLowerCase());
  return found?.[1] ?? null;
}
