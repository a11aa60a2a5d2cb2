import type { FieldScoreInput, FieldScores, FieldValues } from '#scoring/field-scores';

interface Point {
  readonly w: number;
  readonly f: number;
  readonly o: number;
  readonly r: number;
  readonly c: number;
}

/** Reference implementation: the definitions of the scores, in several passes, not optimised. */
export function naiveFieldScores(input: FieldScoreInput): FieldScores {
  const points = pointsOf(input);
  const pairs = finite(points, 'f', 'o');
  const mse = mean(pairs, ({ f, o }) => (f - o) ** 2);
  const referenceMse = mean(finite(points, 'r', 'o'), ({ r, o }) => (r - o) ** 2);
  const climatologyMse = mean(finite(points, 'c', 'o'), ({ c, o }) => (c - o) ** 2);
  const anomalies = finite(points, 'f', 'o', 'c').map(({ w, f, o, c }) => ({ w, x: f - c, y: o - c }));
  const patterns = finite(points, 'f', 'r').map(({ w, f, r }) => ({ w, x: f, y: r }));
  const forecasts = finite(points, 'f').map(({ f }) => f);
  const truths = finite(points, 'o').length;
  return {
    mse,
    rmse: mse === null ? null : Math.sqrt(mse),
    mae: mean(pairs, ({ f, o }) => Math.abs(f - o)),
    bias: mean(pairs, ({ f, o }) => f - o),
    acc: correlation(anomalies),
    skillScoreReference: sharedSkill(points, 'r', unweightedBias),
    skillScoreClimatology: sharedSkill(points, 'c', unweightedBias),
    plainSkillReference: sharedSkill(points, 'r', () => 0),
    plainSkillClimatology: sharedSkill(points, 'c', () => 0),
    referenceMse,
    climatologyMse,
    cloneDistance: mean(finite(points, 'f', 'r'), ({ f, r }) => (f - r) ** 2),
    patternCorrelation: correlation(patterns),
    forecastMin: forecasts.length === 0 ? null : Math.min(...forecasts),
    forecastMax: forecasts.length === 0 ? null : Math.max(...forecasts),
    finiteCoverage: truths === 0 ? 1 : pairs.length / truths,
  };
}

function pointsOf({ forecast, truth, reference, climatology, latitudes }: FieldScoreInput): Point[] {
  const length = forecast.length / latitudes.length;
  const at = (field: FieldValues | undefined, index: number): number => field?.[index] ?? NaN;
  return Array.from(forecast, (f, index) => {
    const latitude = latitudes[Math.floor(index / length)] ?? NaN;
    const w = Number.isFinite(latitude) ? Math.max(0, Math.cos((latitude * Math.PI) / 180)) : 0;
    return { w, f, o: at(truth, index), r: at(reference, index), c: at(climatology, index) };
  });
}

function finite(points: readonly Point[], ...names: (keyof Point)[]): Point[] {
  return points.filter((point) => names.every((name) => Number.isFinite(point[name])));
}

function mean(points: readonly Point[], value: (point: Point) => number): number | null {
  let sum = 0;
  let weight = 0;
  for (const point of points) {
    sum += point.w * value(point);
    weight += point.w;
  }
  return weight > 0 ? sum / weight : null;
}

/** Skill over the points that forecast, truth and baseline share. */
function sharedSkill(
  points: readonly Point[],
  baseline: 'r' | 'c',
  removed: (shared: readonly Point[]) => number,
): number | null {
  const shared = finite(points, 'f', 'o', baseline);
  const bias = removed(shared);
  return skill(
    mean(shared, ({ f, o }) => (f - bias - o) ** 2),
    mean(shared, (point) => (point[baseline] - point.o) ** 2),
  );
}

const unweightedBias = (points: readonly Point[]): number =>
  points.reduce((sum, { f, o }) => sum + (f - o), 0) / points.length;

function skill(mse: number | null, referenceMse: number | null): number | null {
  if (mse === null || referenceMse === null) return null;
  if (referenceMse === 0) return mse === 0 ? 1 : null;
  return 1 - mse / referenceMse;
}

function correlation(pairs: readonly { w: number; x: number; y: number }[]): number | null {
  const weight = pairs.reduce((sum, { w }) => sum + w, 0);
  if (weight === 0) return null;
  const meanX = pairs.reduce((sum, { w, x }) => sum + w * x, 0) / weight;
  const meanY = pairs.reduce((sum, { w, y }) => sum + w * y, 0) / weight;
  const deviationX = Math.sqrt(pairs.reduce((sum, { w, x }) => sum + w * (x - meanX) ** 2, 0) / weight);
  const deviationY = Math.sqrt(pairs.reduce((sum, { w, y }) => sum + w * (y - meanY) ** 2, 0) / weight);
  if (deviationX < 1e-12 || deviationY < 1e-12) return null;
  const products = pairs.reduce((sum, { w, x, y }) => sum + w * (x - meanX) * (y - meanY), 0) / weight;
  return Math.min(1, Math.max(-1, products / (deviationX * deviationY)));
}
