import { describe, expect, it } from 'vitest';
import { measureAnomalies } from '#scoring/field-anomalies';
import { gridRows } from '#scoring/field-grid';
import { meanOfSquares } from '#scoring/mean-square';
import { field } from './support/field.ts';

const climatology = field(10, 10, 20, 20);

function measure(forecast: Float64Array, truth: Float64Array, latitudes = [0, 60]) {
  return measureAnomalies(
    { forecast, truth, climatology },
    gridRows({ forecast, truth, climatology }, latitudes),
  );
}

describe('measureAnomalies', () => {
  it('anomalies are f - c and o - c with weights cos(latitude)', () => {
    const { anomalies } = measure(field(11, 13, 22, 22), field(9, 11, 20, 24));
    expect(anomalies.weight).toBeCloseTo(3, 12);
    expect(anomalies.meanX).toBeCloseTo((1 + 3 + 0.5 * 4) / 3, 12);
    expect(anomalies.meanY).toBeCloseTo((-1 + 1 + 0.5 * 4) / 3, 12);
  });

  it('the error of the climatology includes points where only the forecast is missing', () => {
    const { anomalies, climatologyError } = measure(field(NaN, NaN, NaN, NaN), field(11, 9, 20, NaN));
    expect(anomalies.weight).toBe(0);
    expect(climatologyError.weight).toBeCloseTo(2.5, 12);
    expect(meanOfSquares(climatologyError)).toBeCloseTo(0.8, 12);
  });

  it('anomaly pairs exist only where forecast, truth and climatology are finite', () => {
    const { anomalies } = measure(field(NaN, 12, Infinity, 21), field(11, NaN, 22, 23), [0, 0]);
    expect(anomalies).toMatchObject({ weight: 1, meanX: 1, meanY: 3, squaresX: 0, squaresY: 0, products: 0 });
  });

  it('a row of weight 0 does not count in the anomalies', () => {
    const { anomalies, climatologyError } = measure(field(1, 2, 3, 4), field(4, 3, 2, 1), [NaN, NaN]);
    expect(anomalies.weight).toBe(0);
    expect(meanOfSquares(climatologyError)).toBeNull();
  });
});
