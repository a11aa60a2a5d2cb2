/**
 * OpenTelemetry's instrumentation scope of step spans: name, version, and the version of the semantic conventions that
 * standard attributes (`error.type`, `http.*`, `exception.*`) follow.
 */
export const INSTRUMENTATION_SCOPE = {
  name: 'barograph',
  version: '0.1.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.39.0',
} as const;
