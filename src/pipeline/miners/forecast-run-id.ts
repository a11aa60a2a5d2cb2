/** `YYYYMMDD_HH` in UTC. */
function toCycle(instant: Date): string {
  const digits = instant.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}_${digits.slice(8, 10)}`;
}

/** The name of a forecast, the same on every validator: `forecast_{T0}_to_{target}`. */
export function toForecastRunId(initTime: Date, targetTime: Date): string {
  return `forecast_${toCycle(initTime)}_to_${toCycle(targetTime)}`;
}
