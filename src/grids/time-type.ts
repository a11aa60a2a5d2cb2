import { z } from 'zod';

/** Times (`M8`) and spans of time (`m8`) of numpy, as a data type of format 2. */
export const V2_TIME_TYPE = /^[<>]([mM])8\[(D|h|m|s|ms|us|ns)\]$/;

const v3Schema = z.object({
  name: z.enum(['numpy.datetime64', 'numpy.timedelta64']),
  configuration: z.object({
    unit: z.enum(['D', 'h', 'm', 's', 'ms', 'us', 'ns']),
    scale_factor: z.literal(1),
  }),
});

const UNITS: Readonly<Record<string, string>> = {
  D: 'days',
  h: 'hours',
  m: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

/** CF units of an array whose data type is a time or a span of time; its values are stored as int64. Null for other types. */
export function timeTypeOf(dataType: unknown): string | null {
  const v3 = v3Schema.safeParse(dataType).data;
  const [, kind = '', unit = ''] =
    v3 === undefined
      ? (V2_TIME_TYPE.exec(String(dataType)) ?? [])
      : ['', v3.name === 'numpy.datetime64' ? 'M' : 'm', v3.configuration.unit];
  const units = UNITS[unit];
  if (units === undefined) return null;
  return kind === 'M' ? `${units} since 1970-01-01` : units;
}
