import type { ArrayDescription } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';

/** Roles of a field's dimensions. */
const AXIS_ROLES = ['time', 'level', 'latitude', 'longitude'] as const;
export type AxisRole = (typeof AXIS_ROLES)[number];

/** The names under which each role is known. A coordinate array is named as its dimension (CF, section 5). */
const DIMENSION_NAMES: Readonly<Record<AxisRole, readonly string[]>> = {
  time: ['time', 'valid_time'],
  level: ['pressure_level', 'level', 'isobaricInhPa', 'plev', 'pressure'],
  latitude: ['lat', 'latitude'],
  longitude: ['lon', 'longitude'],
};

/** The role of each dimension of a field, in the array's order. */
export type FieldAxes = readonly AxisRole[];

/**
 * Reads the roles from the dimension names: time, latitude and longitude once each, and at most one level.
 *
 * @throws CategorizedError `invalid_response` for any other set of dimensions.
 */
export function fieldAxes(description: ArrayDescription): FieldAxes {
  const axes = description.dimensionNames.map(roleOf).filter((role) => role !== undefined);
  const complete = (['time', 'latitude', 'longitude'] as const).every((role) => axes.includes(role));
  const distinct = new Set(axes).size === description.dimensionNames.length;
  if (complete && distinct) return axes;
  throw invalidStore(
    `Variable ${description.name} has dimensions (${description.dimensionNames.join(', ')}); ` +
      'allowed: (time, lat, lon) or (time, pressure_level, lat, lon).',
  );
}

/** The coordinate array of each role that the fields use; all of them must share it. */
export function coordinateNames(fields: readonly ArrayDescription[]): ReadonlyMap<AxisRole, string> {
  const names = new Map<AxisRole, string>();
  for (const field of fields) {
    for (const [index, role] of fieldAxes(field).entries()) {
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
