/**
 * The vocabulary `weather.*` and the Python constants of it. The version follows semver: a patch corrects texts; a minor adds
 * attributes and values, and widens what is allowed; anything that a sender of before would break by is a major.
 */
export const WEATHER_SCHEMA = {
  version: '1.0.0',
  url: 'https://unpkg.com/barograph/docs/vocabulary/weather-1.0.0.json',
} as const;

/**
 * OpenTelemetry's instrumentation scope of step spans: name, version, and the version of the semantic conventions that
 * standard attributes (`error.type`, `http.*`, `exception.*`) follow.
 */
export const INSTRUMENTATION_SCOPE = {
  name: 'barograph',
  version: '0.1.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.39.0',
} as const;

/**
 * In place of a validator: the emitter of `barograph record`, which receives spans and makes none. Its spool has no books
 * in the tables, since none of its records is a step of its own.
 */
export const RECEIVER = 'barograph-record';
