/**
 * Who makes the spans of steps, as OpenTelemetry names an instrumentation: name and version, and the version of its
 * conventions by which standard attributes (`error.type`, `http.*`, `exception.*`) are meant.
 */
export const INSTRUMENTATION_SCOPE = {
  name: 'barograph',
  version: '0.1.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.39.0',
} as const;
