import * as units from '@grafana/grafana-foundation-sdk/units';

/** The units of panels and columns, as Grafana writes them. */
export const UNITS = {
  text: units.String,
  count: units.NoUnit,
  score: units.NoUnit,
  ratio: units.PercentUnit,
  seconds: units.Seconds,
  milliseconds: units.Milliseconds,
  bytes: units.BytesIEC,
  instant: units.DatetimeISO,
  perSecond: units.CountsPerSecond,
  hours: units.Hours,
} as const;
