import type { ArrayDescription } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';

/**
 * Roles of a field's dimensions. A valid time is `time`, or T0 (`init`) and `lead` together; a climatology has `dayofyear` in its
 * place, and `hour` beside it.
 */
const AXIS_ROLES = ['time', 'init', 'lead', 'dayofyear', 'hour', 'level', 'latitude', 'longitude'] as const;
export type AxisRole = (typeof AXIS_ROLES)[number];

/** The names under which each role is known. A coordinate array is named as its dimension (CF, section 5). */
export const DIMENSION_NAMES: Readonly<Record<AxisRole, readonly string[]>> = {
  time: ['time', 'valid_time'],
  init: ['init_time', 'forecast_reference_time', 'reference_time'],
  lead: ['prediction_timedelta', 'lead_time', 'step', 'lead', 'forecast_period'],
  dayofyear: ['dayofyear', 'day_of_year'],
  hour: ['hour', 'hour_of_day'],
  level: ['pressure_level', 'level', 'isobaricInhPa', 'plev', 'pressure'],
  latitude: ['lat', 'latitude'],
  longitude: ['lon', 'longitude'],
};

/** The role of each dimension of a field, in the array's order; `single` for one of length 1 that says nothing, as of a member. */
export type FieldAxes = readonly (AxisRole | 'single')[];

/**
 * Reads the roles from the dimension names: latitude and longitude once each, all others at most once. Beside a lead, `time` is T0.
 *
 * @throws CategorizedError `invalid_response` for any other set of dimensions.
 */
export function fieldAxes({ name, dimensionNames, shape }: ArrayDescription): FieldAxes {
  const roles = dimensionNames.map(
    (dimension, at) => roleOf(dimension) ?? (shape[at] === 1 ? ('single' as const) : undefined),
  );
  const axes = roles
    .filter((role) => role !== undefined)
    .map((role) => (role === 'time' && roles.includes('lead') ? 'init' : role));
  const known = axes.filter((role) => role !== 'single');
  const isComplete = known.includes('latitude') && known.includes('longitude');
  const isEachKnown = axes.length === roles.length && new Set(known).size === known.length;
  if (isComplete && isEachKnown && isOneKindOfTime(known)) return axes;
  const dimensions = dimensionNames.map((dimension, at) => `${dimension}: ${String(shape[at])}`).join(', ');
  throw invalidStore(
    `Variable ${name} has dimensions (${dimensions}); allowed: (time, lat, lon) or (time, pressure_level, lat, lon), ` +
      'with T0 and lead in the place of time (in a climatology dayofyear, and hour), and others only of length 1.',
  );
}

/** Fields are of valid times, or of days of the year and hours of the day. */
const isOneKindOfTime = (roles: readonly AxisRole[]): boolean =>
  roles.includes('dayofyear')
    ? !roles.some((role) => role === 'time' || role === 'init' || role === 'lead')
    : !roles.includes('hour');
/** Whether all values of an axis make up one field; of the others it has one index. */
export const isOfGrid =
  (axes: FieldAxes) =>
  (axis: number): boolean =>
    axes[axis] === 'latitude' || axes[axis] === 'longitude';

/** The coordinate array of each role that is a dimension of the fields; all of them must share it. */
export function coordinateNames(fields: readonly ArrayDescription[]): ReadonlyMap<AxisRole, string> {
  const names = new Map<AxisRole, string>();
  for (const field of fields) {
    for (const [index, role] of fieldAxes(field).entries()) {
      if (role === 'single') continue;
      const name = field.dimensionNames[index] ?? '';
      const earlier = names.get(role) ?? name;
      if (earlier !== name) {
        throw invalidStore(`Variables use both "${earlier}" and "${name}" as ${role}; one is allowed.`);
      }
      names.set(role, name);
    }
  }
  return names;
}

/** Undefined for an unknown dimension. */
function roleOf(dimension: string): AxisRole | undefined {
  return AXIS_ROLES.find((role) => DIMENSION_NAMES[role].includes(dimension));
}

/** Whether one of the dimensions of an array is the level. */
export const isOnLevels = ({ dimensionNames }: ArrayDescription): boolean =>
  dimensionNames.some((dimension) => roleOf(dimension) === 'level');
