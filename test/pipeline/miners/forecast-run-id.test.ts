import { describe, expect, it } from 'vitest';
import { toForecastRunId } from '#pipeline/miners/forecast-run-id';

describe('toForecastRunId', () => {
  it('the name of a forecast equals that of the test vector', () => {
    const T0 = new Date('2025-11-26T00:00:00Z');
    expect(toForecastRunId(T0, T0)).toBe('forecast_20251126_00_to_20251126_00');
  });

  it('the name of a forecast is in UTC, whatever offset its instants were written with', () => {
    const name = toForecastRunId(
      new Date('2025-11-25T19:00:00-05:00'),
      new Date('2025-12-06T03:00:00+03:00'),
    );
    expect(name).toBe('forecast_20251126_00_to_20251206_00');
  });
});
