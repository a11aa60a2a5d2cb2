import type { GridStore } from '#grids';
import { CategorizedError, VARIABLES, type Variable } from '#semconv';

/** One field to score: a variable at the surface (null) or on one pressure level. */
export interface PlannedField {
  readonly variable: Variable;
  readonly pressureHpa: number | null;
}

/** The weight of each variable. It is recorded with the component scores; no score uses it. */
export const BASE_WEIGHTS: Readonly<Record<Variable, number>> = {
  '2t': 0.25,
  msl: 0.2,
  '10u': 0.1,
  '10v': 0.1,
  t: 0.15,
  u: 0.025,
  v: 0.025,
  q: 0.05,
  z: 0.1,
};

/** The fields of day one. */
export const DAY1_FIELDS: readonly PlannedField[] = [
  { variable: '2t', pressureHpa: null },
  { variable: 'msl', pressureHpa: null },
  { variable: '10u', pressureHpa: null },
  { variable: '10v', pressureHpa: null },
  { variable: 'z', pressureHpa: 500 },
];

/** Variable with level, for example `z500`; at the surface the variable alone. */
export const fieldKey = ({ variable, pressureHpa }: PlannedField): string =>
  pressureHpa === null ? variable : `${variable}${pressureHpa}`;

/** Whether a store has the field at any time. */
export function hasField(store: Pick<GridStore, 'variables'>, field: PlannedField): boolean {
  const found = store.variables.find(({ name }) => name === field.variable);
  if (found === undefined) return false;
  return field.pressureHpa === null
    ? found.pressureLevelsHpa === null
    : (found.pressureLevelsHpa?.includes(field.pressureHpa) ?? false);
}

/** The fields that all stores share, in the order of the vocabulary and of the first store's levels. */
export function sharedPlannedFields(
  first: Pick<GridStore, 'variables'>,
  ...others: readonly Pick<GridStore, 'variables'>[]
): PlannedField[] {
  return VARIABLES.flatMap((variable) => fieldsOf(first, variable)).filter((field) =>
    others.every((store) => hasField(store, field)),
  );
}

function fieldsOf(store: Pick<GridStore, 'variables'>, variable: Variable): PlannedField[] {
  const found = store.variables.find(({ name }) => name === variable);
  if (found === undefined) return [];
  return (found.pressureLevelsHpa ?? [null]).map((pressureHpa) => ({ variable, pressureHpa }));
}

/** The expected fields that a forecast has, and those that it lacks. */
export interface FieldsByPresence {
  readonly present: readonly PlannedField[];
  readonly missing: readonly PlannedField[];
}

/** Splits the expected fields of a forecast into those that it has and those that it lacks. */
export function splitByPresence(
  forecast: Pick<GridStore, 'variables'>,
  expected: readonly PlannedField[],
): FieldsByPresence {
  return {
    present: expected.filter((field) => hasField(forecast, field)),
    missing: expected.filter((field) => !hasField(forecast, field)),
  };
}

/**
 * Requires at least one field to score.
 *
 * @throws CategorizedError `data_missing_variable` for a forecast that has none of the expected fields, and
 * `validator_internal` when no field is expected: then the validator's own stores share none
 */
export function requireSomePresent({ present, missing }: FieldsByPresence): void {
  if (present.length > 0) return;
  const names = missing.map(fieldKey).join(', ');
  throw names === ''
    ? new CategorizedError(
        'validator_internal',
        "The validator's own stores share no field to score; check truth, analysis and climatology.",
      )
    : new CategorizedError(
        'data_missing_variable',
        `The forecast has none of the fields to score (${names}).`,
      );
}
