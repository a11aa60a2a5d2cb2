import { CategorizedError, type Variable, VARIABLES } from '#semconv';
import { conversionOf, VARIABLE_NAMES } from '#semconv/variable-names';
import type { ArrayDescription } from './array-description.ts';
import { isOnLevels } from './axes.ts';
import { invalidStore } from './grid-errors.ts';
import { readArrayDescription, type ZarrGroup } from './zarr-group.ts';

/** A forecast variable and the array that holds it; unpacked as described, its values are in the unit of the variable. */
export interface StoredVariable {
  readonly variable: Variable;
  readonly description: ArrayDescription;
}

/** Names that an error tells of what a store holds instead. */
const MOST_NAMES = 20;

/**
 * Finds the forecast variables of a store, by the names of `VARIABLE_NAMES`, then by CF standard names where something lists its
 * arrays.
 *
 * @throws CategorizedError `data_missing_variable` where there is none, `invalid_response` for two arrays of one variable, and for
 * units that are not those of the variable
 */
export async function readVariables(group: ZarrGroup): Promise<readonly StoredVariable[]> {
  const byName = await Promise.all(VARIABLES.map((variable) => findByName(group, variable)));
  const named = byName.filter((found) => found !== undefined);
  const stored = [...named, ...(await findByStandardName(group, named))];
  if (stored.length > 0) return stored.map(inUnitOfVariable);
  const names = [...(group.arrayNames ?? [])];
  const held = names.length === 0 ? '' : ` It holds ${names.slice(0, MOST_NAMES).join(', ')}.`;
  throw new CategorizedError(
    'data_missing_variable',
    `The store has none of the forecast variables ${VARIABLES.join(', ')}, by these names or others that are known.${held}`,
  );
}

async function findByName(group: ZarrGroup, variable: Variable): Promise<StoredVariable | undefined> {
  const { aliases } = VARIABLE_NAMES[variable];
  const found = await Promise.all(aliases.map((alias) => readArrayDescription(group, alias)));
  const [description, other] = found.filter((one) => one !== undefined);
  if (description !== undefined && other !== undefined)
    throw invalidStore(
      `Arrays ${description.name} and ${other.name} are both ${variable}; one of them is allowed.`,
    );
  return description && { variable, description };
}

/** Arrays of variables that no name has found; each is the only one of its standard name and kind. */
async function findByStandardName(
  group: ZarrGroup,
  found: readonly StoredVariable[],
): Promise<readonly StoredVariable[]> {
  const missing = VARIABLES.filter((variable) => !found.some((one) => one.variable === variable));
  const taken = new Set(found.map(({ description }) => description.name));
  const names = [...(group.arrayNames ?? [])].filter((name) => !taken.has(name));
  const others: ArrayDescription[] = [];
  for (const name of names) {
    // An array that is no field, such as one of texts, is none of ours.
    const description = await readArrayDescription(group, name).catch(() => undefined);
    if (description?.standardName != null) others.push(description);
  }
  return missing.flatMap((variable) => {
    const { standardName, isOnLevels: onLevels } = VARIABLE_NAMES[variable];
    const same = others.filter((one) => one.standardName === standardName && isOnLevels(one) === onLevels);
    const [description] = same;
    return description !== undefined && same.length === 1 ? [{ variable, description }] : [];
  });
}

function inUnitOfVariable({ variable, description }: StoredVariable): StoredVariable {
  const { name, standardName, units, scaleFactor, addOffset } = description;
  // Without units, an array `z` that CF calls a height is in metres, as one of that name is.
  const meaning = standardName === 'geopotential_height' ? standardName : name;
  const conversion = conversionOf(variable, units, meaning);
  if (conversion === null) {
    const { unit, units: others } = VARIABLE_NAMES[variable];
    const allowed = [unit, ...Object.keys(others)].join(', ');
    throw invalidStore(
      `Variable ${name} has units "${units ?? ''}"; for ${variable} these are allowed: ${allowed}.`,
    );
  }
  const { factor, offset } = conversion;
  return {
    variable,
    description: {
      ...description,
      scaleFactor: scaleFactor * factor,
      addOffset: addOffset * factor + offset,
    },
  };
}
