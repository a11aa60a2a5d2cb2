/** SQL for a `timestamptz` as ISO 8601 in UTC to the millisecond, whatever the time zone of the session; null stays null. */
export const utcText = (expression: string): string =>
  `to_char(${expression} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
