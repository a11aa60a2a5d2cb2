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
  /** A number of milliseconds since 1970, as the day. */
  day: 'time:YYYY-MM-DD',
  perMinute: units.CountsPerMinute,
  /** Leads are always shown in hours: Grafana's own unit for hours would turn 240 into "1.43 weeks". */
  hours: 'suffix:h',
} as const;
