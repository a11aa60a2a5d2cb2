import { createInterpolator, type FieldRequest, type GridStore, hasTime } from '#grids';
import { failedCheckOf } from '#pipeline/scores/gated-field';
import { scoreByConvention, type Convention, type ConventionScores } from '#scoring/conventions';
import { coverageOf } from '#scoring/era5-gates';
import { fixUnits, type UnitFix } from '#scoring/unit-fixes';
import type { FieldCheck, Variable } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { createWindow, type GridWindow, type Region } from './region.ts';
import { isStoredIn, sharedFieldRequests, type ComparedStores } from './shared-fields.ts';

const MILLIS_PER_HOUR = 3_600_000;

/** The scores of one field, in the names under which scores are published. */
export interface ScoreRow {
  /** Whose definitions were used; absent for those of this package. */
  readonly convention?: Convention;
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
  /** 1 - mse / mse of the baseline, no mean error removed. */
  readonly plain_skill_score_gfs: number | null;
  readonly plain_skill_score_climatology: number | null;
  /** Share of the truth's points with a value at which the forecast has one, 0 to 1; null for a truth without any. */
  readonly coverage: number | null;
  /** Only where the values of the forecast are in another unit than its store says, recognised as the pipeline does it. */
  readonly unit_fix?: UnitFix;
  /** Only for a field of the forecast that cannot be read; it has no scores. */
  readonly failed_check?: FieldCheck;
  /** Why a score is null where it would not be expected; absent otherwise. */
  readonly reason?: string;
}

export interface ScoreStoresInput extends ComparedStores {
  /** The reference forecast (GFS); without it, or where it lacks a field, `skill_score_gfs` is null. */
  readonly reference?: GridStore;
  /** Without it, or where it lacks a field, `acc` and `skill_score_climatology` are null. */
  readonly climatology?: GridStore;
  /** T0, from which leads are counted. */
  readonly leadFrom?: Date | undefined;
  readonly convention?: Convention | undefined;
  /** The part of the truth that is scored. */
  readonly region?: Region | undefined;
  /** Coverage below which a field has no skill; 0 unless given. */
  readonly minCoverage?: number | undefined;
  /** Called after each field. */
  readonly onScored?: (done: number, all: number) => void;
}

/**
 * Scores every field that forecast and truth share, on the truth's grid: by valid time, then variable, then level. A
 * field of the forecast that is damaged has a row without scores, and hides none after it.
 *
 * @throws CategorizedError for stores that share no field, for a region without points, for a forecast that cannot be reached,
 * and for a field of the other stores that cannot be read
 */
export async function scoreStores(input: ScoreStoresInput): Promise<ScoreRow[]> {
  const { leadFrom, convention = 'barograph', onScored } = input;
  const requests = sharedFieldRequests(input);
  const window = createWindow(input.truth, input.region);
  const readers = createReaders(input, window);
  const rows: ScoreRow[] = [];
  for (const request of requests) {
    const place = {
      ...(convention !== 'barograph' && { convention }),
      ...placeOf(request, leadFrom),
    };
    rows.push({ ...place, ...(await scoreOne(request, { input, readers, latitudes: window.latitudes })) });
    onScored?.(rows.length, requests.length);
  }
  return rows;
}

type Scored = Omit<ScoreRow, keyof ReturnType<typeof placeOf> | 'convention'>;

interface Scoring {
  readonly input: ScoreStoresInput;
  readonly readers: ReturnType<typeof createReaders>;
  readonly latitudes: Float64Array;
}

/** The forecast is read first: where it is damaged, nothing else is. */
async function scoreOne(request: FieldRequest, { input, readers, latitudes }: Scoring): Promise<Scored> {
  const predicted = await readOrFail(() => readers.forecast(request));
  if (!(predicted instanceof Float32Array)) return { ...NO_SCORES, ...predicted };
  const [actual, reference, climatology] = await Promise.all([
    readers.truth(request),
    readers.reference(request),
    readers.climatology(request),
  ]);
  const truth = actual ?? new Float32Array(predicted.length).fill(Number.NaN);
  const { values, fix } = fixUnits(request.variable, predicted, truth);
  const forecast = values instanceof Float32Array ? values : Float32Array.from(values);
  const scores = scoreByConvention(input.convention ?? 'barograph', {
    ...{ forecast, truth, latitudes, isOnLevels: request.pressureHpa !== null },
    ...(reference && { reference }),
    ...(climatology && { climatology }),
  });
  const published = publishScores(scores, coverageOf(predicted, truth), input.minCoverage ?? 0);
  return { ...published, ...(fix !== null && { unit_fix: fix }) };
}

const NO_SCORES: Omit<Scored, 'failed_check' | 'reason'> = {
  mse: null,
  rmse: null,
  mae: null,
  bias: null,
  acc: null,
  skill_score_gfs: null,
  skill_score_climatology: null,
  plain_skill_score_gfs: null,
  plain_skill_score_climatology: null,
  coverage: null,
};

/** Scores in their published names. Below the least coverage there is no skill, or gaps would be a way to gain one. */
function publishScores(scores: ConventionScores, coverage: number | null, minCoverage: number): Scored {
  const isCovered = coverage === null || coverage >= minCoverage;
  const reasons = [
    ...(scores.reason === null ? [] : [scores.reason]),
    ...(isCovered
      ? []
      : [
          `no skill: the forecast has ${toPercent(coverage)} of the points of the truth, below ${toPercent(minCoverage)}`,
        ]),
  ];
  return {
    mse: scores.mse,
    rmse: scores.rmse,
    mae: scores.mae,
    bias: scores.bias,
    acc: scores.acc,
    skill_score_gfs: isCovered ? scores.skillScoreReference : null,
    skill_score_climatology: isCovered ? scores.skillScoreClimatology : null,
    plain_skill_score_gfs: isCovered ? scores.plainSkillReference : null,
    plain_skill_score_climatology: isCovered ? scores.plainSkillClimatology : null,
    coverage,
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
  };
}

/** A share as a percentage, cut rather than rounded up: what is below a limit must not read as if it reached it. */
const toPercent = (share: number): string => `${Math.floor(share * 10_000) / 100} %`;

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

type ReadField = (request: FieldRequest) => Promise<Float32Array | undefined>;

/** Readers of the fields of each store on the part of the truth's grid that is scored. */
function createReaders(input: ScoreStoresInput, window: GridWindow) {
  const { forecast, truth, reference, climatology } = input;
  const on = (store: GridStore | undefined): ReadField =>
    store === undefined ? () => Promise.resolve(undefined) : fieldsOn(truth, store, window);
  return { forecast: on(forecast), truth: on(truth), reference: on(reference), climatology: on(climatology) };
}

/** Reads a store's fields on the grid of another; undefined for a field that it lacks. */
function fieldsOn(grid: GridStore, store: GridStore, { crop }: GridWindow): ReadField {
  const interpolate = createInterpolator(store, grid);
  return async (request) => {
    const { variable, pressureHpa, validTime } = request;
    if (!isStoredIn(store, variable, pressureHpa) || !hasTime(store, validTime)) return undefined;
    return crop(interpolate(await store.readField(request)));
  };
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
