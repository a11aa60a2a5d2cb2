import { UNITS } from '#dashboards/panels/units';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const WEEK = 604_800;
const YEAR = 31_536_000;

/** A scale: the first step that the number lies below gives divisor and name. */
type Scale = readonly (readonly [below: number, divisor: number, name: string])[];

const LARGER: Scale = [
  [HOUR, MINUTE, 'min'],
  [DAY, HOUR, 'hour'],
  [WEEK, DAY, 'day'],
  [YEAR, WEEK, 'week'],
  [Infinity, YEAR, 'year'],
];
const SECONDS: Scale = [[1e-3, 1e-6, 'µs'], [1, 1e-3, 'ms'], [MINUTE, 1, 's'], ...LARGER];
const SHORT: Scale = [
  [1e3, 1, ''],
  [1e6, 1e3, 'K'],
  [Infinity, 1e6, 'Mil'],
];

/** As many decimals as tell three digits. */
function decimalsFor(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || Number.isInteger(value)) return 0;
  return Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(size))));
}

const inDecimals = (value: number, decimals: number | undefined): string =>
  decimals === undefined ? String(Number(value.toFixed(decimalsFor(value)))) : value.toFixed(decimals);

function scaled(value: number, scale: Scale, decimals: number | undefined): string {
  const [, divisor, name] = scale.find(([below]) => Math.abs(value) < below) ?? [0, 1, ''];
  return `${inDecimals(value / divisor, decimals)} ${value === 0 ? (scale === SECONDS ? 's' : name) : name}`;
}

function inBytes(value: number, decimals: number | undefined): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value === 0 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(Math.abs(value)) / 10));
  return `${inDecimals(value / 1024 ** power, decimals)} ${names[power] ?? ''}`;
}

/** An instant in UTC by the letters of a pattern: `YYYY-MM-DD HH:mm:ss` or a part of it. */
function inPattern(instant: number, pattern: string): string {
  const [years = '', months = '', days = '', hours = '', minutes = '', seconds = ''] = new Date(instant)
    .toISOString()
    .split(/[-T:.]/);
  const parts: Readonly<Record<string, string>> = {
    YYYY: years,
    MM: months,
    DD: days,
    HH: hours,
    mm: minutes,
    ss: seconds,
  };
  return pattern.replaceAll(/YYYY|MM|DD|HH|mm|ss/g, (part) => parts[part] ?? part).replaceAll(/[[\]]/g, '');
}

const inTime = (instant: number): string => inPattern(instant, 'YYYY-MM-DD HH:mm:ss');

type Format = (value: number, decimals: number | undefined) => string;

/** How Grafana writes a number in each unit of ours. */
const FORMATS: Readonly<Record<string, Format>> = {
  [UNITS.text]: (value) => String(value),
  [UNITS.count]: inDecimals,
  [UNITS.ratio]: (value, decimals) => `${inDecimals(value * 100, decimals)}%`,
  [UNITS.seconds]: (value, decimals) => scaled(value, SECONDS, decimals),
  [UNITS.milliseconds]: (value, decimals) =>
    Math.abs(value) < 1000 ? `${inDecimals(value, decimals)} ms` : scaled(value / 1000, SECONDS, decimals),
  [UNITS.bytes]: inBytes,
  [UNITS.instant]: inTime,
  [UNITS.perMinute]: (value, decimals) => `${scaled(value, SHORT, decimals).trim()} c/m`,
};

/** A number in a unit. @throws Error for a unit that no dashboard of ours has had */
export function formatNumber(value: number, unit: string, decimals?: number): string {
  if (unit.startsWith('suffix:')) return `${inDecimals(value, decimals)}${unit.slice('suffix:'.length)}`;
  if (unit.startsWith('time:')) return inPattern(value, unit.slice('time:'.length));
  const format = FORMATS[unit];
  if (format === undefined) throw new Error(`the unit ${unit} cannot be drawn`);
  return format(value, decimals);
}
