/** OTLP over HTTP: spans of other programs. */
export { TRACES_PATH } from './handle-export.ts';
export {
  startIngestServer,
  type IngestLimits,
  type IngestServer,
  type IngestServerOptions,
} from './ingest-server.ts';
export type { SinkReport, TakeBatch } from './deliver-spans.ts';
