import type { FieldValues } from '#scoring';
import type { ComparedFields, ComparedScores } from './compared-scores.ts';

/** The grid of all passes. */
interface WeightedGrid {
  /** cos(latitude) of each row. */
  readonly weights: Float64Array;
  readonly columns: number;
}

/** One pass for each metric, as its formula is written; points with a gap are left out, as they are in the scores. */
export function naiveScores(fields: ComparedFields): ComparedScores {
  const { forecast, truth, reference, climatology, latitudes } = fields;
  const weights = new Float64Array(latitudes.length);
  for (let row = 0; row < weights.length; row++) {
    weights[row] = Math.max(0, Math.cos(((latitudes[row] ?? 0) * Math.PI) / 180));
  }
  const grid = { weights, columns: forecast.length / weights.length };
  return {
    rmse: Math.sqrt(meanSquare(forecast, truth, grid, 0)),
    mae: meanAbsolute(forecast, truth, grid),
    bias: meanError(forecast, truth, grid),
    acc: correlation(forecast, truth, climatology, grid),
    skillScoreReference: skill(forecast, truth, reference, grid),
    skillScoreClimatology: skill(forecast, truth, climatology, grid),
  };
}

function skill(forecast: FieldValues, truth: FieldValues, against: FieldValues, grid: WeightedGrid): number {
  const correction = plainMeanError(forecast, truth);
  return 1 - meanSquare(forecast, truth, grid, correction) / meanSquare(against, truth, grid, 0);
}

function meanSquare(
  left: FieldValues,
  right: FieldValues,
  { weights, columns }: WeightedGrid,
  correction: number,
): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const error = (left[index] ?? NaN) - (right[index] ?? NaN) - correction;
      if (Number.isFinite(error)) {
        sum += weight * error * error;
        total += weight;
      }
    }
  }
  return sum / total;
}

function meanAbsolute(left: FieldValues, right: FieldValues, { weights, columns }: WeightedGrid): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const error = (left[index] ?? NaN) - (right[index] ?? NaN);
      if (Number.isFinite(error)) {
        sum += weight * Math.abs(error);
        total += weight;
      }
    }
  }
  return sum / total;
}

function meanError(left: FieldValues, right: FieldValues, { weights, columns }: WeightedGrid): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const error = (left[index] ?? NaN) - (right[index] ?? NaN);
      if (Number.isFinite(error)) {
        sum += weight * error;
        total += weight;
      }
    }
  }
  return sum / total;
}

function plainMeanError(left: FieldValues, right: FieldValues): number {
  let sum = 0;
  let count = 0;
  for (let index = 0; index < left.length; index++) {
    const error = (left[index] ?? NaN) - (right[index] ?? NaN);
    if (Number.isFinite(error)) {
      sum += error;
      count++;
    }
  }
  return sum / count;
}

/** Two passes: the means, then the moments about them. */
function correlation(
  forecast: FieldValues,
  truth: FieldValues,
  climatology: FieldValues,
  { weights, columns }: WeightedGrid,
): number {
  let total = 0;
  let sumX = 0;
  let sumY = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const x = (forecast[index] ?? NaN) - (climatology[index] ?? NaN);
      const y = (truth[index] ?? NaN) - (climatology[index] ?? NaN);
      if (Number.isFinite(x + y)) {
        total += weight;
        sumX += weight * x;
        sumY += weight * y;
      }
    }
  }
  const [meanX, meanY] = [sumX / total, sumY / total];
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const x = (forecast[index] ?? NaN) - (climatology[index] ?? NaN) - meanX;
      const y = (truth[index] ?? NaN) - (climatology[index] ?? NaN) - meanY;
      if (Number.isFinite(x + y)) {
        xx += weight * x * x;
        yy += weight * y * y;
        xy += weight * x * y;
      }
    }
  }
  return xy / Math.sqrt(xx * yy);
}
