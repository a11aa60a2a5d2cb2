import { type FieldRequest, type GridStore, type GridVariable, hasTime } from '#grids';
import { CategorizedError, type Variable } from '#semconv';

/** Which of the shared fields are scored; all of them without a choice. */
export interface FieldChoice {
  readonly variables?: readonly Variable[] | undefined;
  /** hPa. Variables at the surface have none, and are left out by `variables` alone. */
  readonly levels?: readonly number[] | undefined;
}

/** The stores that are compared, and the choice of their fields. */
export interface ComparedStores {
  readonly forecast: GridStore;
  readonly truth: GridStore;
  readonly choice?: FieldChoice | undefined;
}

/** Whether a store has the variable at the level, or at the surface. */
export const isStoredIn = (store: GridStore, name: Variable, pressureHpa: number | null): boolean =>
  store.variables.some((variable) => variable.name === name && levelsOf(variable).includes(pressureHpa));

/** Levels in hPa; null alone for a variable at the surface. */
const levelsOf = ({ pressureLevelsHpa }: GridVariable): readonly (number | null)[] =>
  pressureLevelsHpa ?? [null];

/** The chosen fields of a store, without their times. */
function chosenFields({ variables }: GridStore, choice: FieldChoice = {}) {
  return variables
    .filter(({ name }) => choice.variables?.includes(name) !== false)
    .flatMap((variable) =>
      levelsOf(variable)
        .filter((level) => level === null || choice.levels?.includes(level) !== false)
        .map((pressureHpa) => ({ variable: variable.name, pressureHpa })),
    );
}

/**
 * Every chosen field that both stores have, in the order of the truth's times and variables.
 *
 * @throws CategorizedError where there is none
 */
export function sharedFieldRequests({ forecast, truth, choice }: ComparedStores): FieldRequest[] {
  const fields = chosenFields(truth, choice).filter(({ variable, pressureHpa }) =>
    isStoredIn(forecast, variable, pressureHpa),
  );
  const requests = truth.validTimes
    .filter((validTime) => hasTime(forecast, validTime))
    .flatMap((validTime) => fields.map((field) => ({ ...field, validTime })));
  if (requests.length > 0) return requests;
  const isChosen = choice?.variables !== undefined || choice?.levels !== undefined;
  const wanted = isChosen ? ' of those that --variables and --levels choose' : '';
  throw new CategorizedError(
    'data_missing_variable',
    `Forecast and truth share no field${wanted}. The forecast has ${describeFields(forecast)}. ` +
      `The truth has ${describeFields(truth)}.`,
  );
}

/** What is not scored, and why: times, variables and levels that one of the stores lacks. One line each. */
export function describeLeftOut({ forecast, truth, choice }: ComparedStores): string[] {
  const times = truth.validTimes.filter((time) => !hasTime(forecast, time));
  const fields = chosenFields(truth, choice)
    .filter(({ variable, pressureHpa }) => !isStoredIn(forecast, variable, pressureHpa))
    .map(({ variable, pressureHpa }) =>
      pressureHpa === null ? variable : `${variable} at ${pressureHpa} hPa`,
    );
  const chosen = chosenFields(truth, choice);
  const absent = [
    ...(choice?.variables ?? []).filter(
      (name) => !truth.variables.some((variable) => variable.name === name),
    ),
    ...(choice?.levels ?? [])
      .filter((level) => !chosen.some(({ pressureHpa }) => pressureHpa === level))
      .map((level) => `${level} hPa`),
  ];
  const lacks = (store: string, names: readonly string[]): string[] =>
    names.length === 0
      ? []
      : [`${names.join(', ')}: the ${store} lacks ${names.length === 1 ? 'it' : 'them'}.`];
  return [
    ...(times.length === 0
      ? []
      : [`${times.length} of ${truth.validTimes.length} valid times of the truth: the forecast lacks them.`]),
    ...lacks('forecast', fields),
    ...lacks('truth', absent),
  ];
}

/** Times, variables and levels of a store, for people. */
function describeFields({ validTimes, variables }: GridStore): string {
  const times = validTimes.map((time) => time.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)].map((time) =>
    new Date(time).toISOString().slice(0, 16),
  );
  const names = variables.map(({ name, pressureLevelsHpa }) =>
    pressureLevelsHpa === null ? name : `${name} (${pressureLevelsHpa.join(', ')} hPa)`,
  );
  return `${times.length} times from ${first ?? ''}Z to ${last ?? ''}Z, with ${names.join(', ')}`;
}
