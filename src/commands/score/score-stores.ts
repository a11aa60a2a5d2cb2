import { createInterpolator, type FieldRequest, type GridStore, type GridVariable, hasTime } from '#grids';
import { failedCheckOf } from '#pipeline/scores/gated-field';
import { coverageOf } from '#scoring/coverage';
import { scoreField, type FieldScores } from '#scoring/field-scores';
import { CategorizedError, type FieldCheck, type Variable } from '#semconv';
import { messageOf } from '#semconv/message-of';

const MILLIS_PER_HOUR = 3_600_000;

/** The scores of one field, in the names under which scores are published. */
export interface ScoreRow {
  /** Hours from `leadFrom`; only where that was given. */
  readonly lead_hours?: number;
  readonly valid_time_utc: string;
  readonly variable: Variable;
  /** hPa; only for an upper-air variable. */
  readonly pressure_level?: number;
  readonly mse: number | null;
  readonly rmse: number | null;
  readonly mae: number | null;
  readonly bias: number | null;
  readonly acc: number | null;
  readonly skill_score_gfs: number | null;
  readonly skill_score_climatology: number | null;
  /** Share of the truth's points with a value at which the forecast has one, 0 to 1; null for a truth without any. */
  readonly coverage: number | null;
  /** Only for a field of the forecast that cannot be read; it has no scores. */
  readonly failed_check?: FieldCheck;
  readonly reason?: string;
}

export interface ScoreStoresInput {
  readonly forecast: GridStore;
  readonly truth: GridStore;
  /** The reference forecast (GFS); without it, or where it lacks a field, `skill_score_gfs` is null. */
  readonly reference?: GridStore;
  /** Without it, or where it lacks a field, `acc` and `skill_score_climatology` are null. */
  readonly climatology?: GridStore;
  /** T0, from which leads are counted. */
  readonly leadFrom?: Date;
}

/**
 * Scores every field that forecast and truth share, on the truth's grid: by valid time, then variable, then level. A
 * field of the forecast that is damaged has a row without scores, and hides none after it.
 *
 * @throws CategorizedError for stores that share no field, for a forecast that cannot be reached, and for a field of the other
 * stores that cannot be read
 */
export async function scoreStores(input: ScoreStoresInput): Promise<ScoreRow[]> {
  const { forecast, truth, reference, climatology, leadFrom } = input;
  const readForecast = fieldsOn(truth, forecast);
  const readReference = reference && fieldsOn(truth, reference);
  const readClimatology = climatology && fieldsOn(truth, climatology);
  const rows: ScoreRow[] = [];
  const requests = sharedFieldRequests(forecast, truth);
  if (requests.length === 0)
    throw new CategorizedError(
      'data_missing_variable',
      `Forecast and truth share no field. The forecast has ${describeFields(forecast)}. The truth has ${describeFields(truth)}.`,
    );
  for (const request of requests) {
    const place = placeOf(request, leadFrom);
    const predicted = await readOrFail(() => readForecast(request));
    if (predicted === undefined) continue;
    if (!(predicted instanceof Float32Array)) {
      rows.push({ ...place, ...NO_SCORES, ...predicted });
      continue;
    }
    const referenceField = await readReference?.(request);
    const climatologyField = await readClimatology?.(request);
    const truthField = await truth.readField(request);
    const scores = scoreField({
      forecast: predicted,
      truth: truthField,
      ...(referenceField && { reference: referenceField }),
      ...(climatologyField && { climatology: climatologyField }),
      latitudes: truth.latitudes,
    });
    rows.push({ ...place, ...publishedScores(scores), coverage: coverageOf(predicted, truthField) });
  }
  return rows;
}

type PublishedScores = Omit<ScoreRow, keyof ReturnType<typeof placeOf> | 'failed_check' | 'reason'>;

const NO_SCORES: PublishedScores = {
  mse: null,
  rmse: null,
  mae: null,
  bias: null,
  acc: null,
  skill_score_gfs: null,
  skill_score_climatology: null,
  coverage: null,
};

const publishedScores = (scores: FieldScores): Omit<PublishedScores, 'coverage'> => ({
  mse: scores.mse,
  rmse: scores.rmse,
  mae: scores.mae,
  bias: scores.bias,
  acc: scores.acc,
  skill_score_gfs: scores.skillScoreReference,
  skill_score_climatology: scores.skillScoreClimatology,
});

/** A field, or the check that it failed when it was read. @throws errors that are not about the field */
async function readOrFail(
  read: () => Promise<Float32Array | undefined>,
): Promise<Float32Array | undefined | Required<Pick<ScoreRow, 'failed_check' | 'reason'>>> {
  try {
    return await read();
  } catch (error) {
    const check = failedCheckOf(error);
    if (check === null) throw error;
    return { failed_check: check, reason: messageOf(error) };
  }
}

/** Every field that both stores have, in the order of the truth's times and variables. */
function sharedFieldRequests(forecast: GridStore, truth: GridStore): FieldRequest[] {
  return truth.validTimes
    .filter((validTime) => hasTime(forecast, validTime))
    .flatMap((validTime) =>
      truth.variables.flatMap((variable) =>
        (variable.pressureLevelsHpa ?? [null])
          .filter((pressureHpa) =>
            forecast.variables.some((other) => isStoredAt(other, variable.name, pressureHpa)),
          )
          .map((pressureHpa) => ({ variable: variable.name, pressureHpa, validTime })),
      ),
    );
}

/** What of the truth is not scored, and why: times, variables and levels that the forecast lacks. One line each. */
export function describeLeftOut({ forecast, truth }: Pick<ScoreStoresInput, 'forecast' | 'truth'>): string[] {
  const times = truth.validTimes.filter((time) => !hasTime(forecast, time));
  const fields = truth.variables.flatMap(({ name, pressureLevelsHpa }) =>
    (pressureLevelsHpa ?? [null])
      .filter((level) => !forecast.variables.some((other) => isStoredAt(other, name, level)))
      .map((level) => (level === null ? name : `${name} at ${String(level)} hPa`)),
  );
  return [
    ...(times.length === 0
      ? []
      : [
          `${String(times.length)} of ${String(truth.validTimes.length)} valid times of the truth: the forecast lacks them.`,
        ]),
    ...(fields.length === 0
      ? []
      : [`${fields.join(', ')}: the forecast lacks ${fields.length === 1 ? 'it' : 'them'}.`]),
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
  return `${String(times.length)} times from ${first ?? ''}Z to ${last ?? ''}Z, with ${names.join(', ')}`;
}

type ReadField = (request: FieldRequest) => Promise<Float32Array | undefined>;

/** Reads a store's fields on the grid of another; undefined for a field that it lacks. */
function fieldsOn(grid: GridStore, store: GridStore): ReadField {
  const interpolate = createInterpolator(store, grid);
  return async (request) => {
    const { variable, pressureHpa, validTime } = request;
    const stored = store.variables.some((other) => isStoredAt(other, variable, pressureHpa));
    if (!stored || !hasTime(store, validTime)) return undefined;
    return interpolate(await store.readField(request));
  };
}

function isStoredAt(candidate: GridVariable, name: Variable, pressureHpa: number | null): boolean {
  if (candidate.name !== name) return false;
  return pressureHpa === null
    ? candidate.pressureLevelsHpa === null
    : candidate.pressureLevelsHpa?.includes(pressureHpa) === true;
}

/** The key columns of a row: time, variable and level. */
function placeOf({ variable, pressureHpa, validTime }: FieldRequest, leadFrom: Date | undefined) {
  return {
    ...(leadFrom && { lead_hours: (validTime.getTime() - leadFrom.getTime()) / MILLIS_PER_HOUR }),
    valid_time_utc: validTime.toISOString().replace('.000Z', 'Z'),
    variable,
    ...(pressureHpa !== null && { pressure_level: pressureHpa }),
  };
}
