/** OTLP receiver, over HTTP and gRPC: spans of other programs. */
export { TRACES_PATH } from './handle-export.ts';
export { startIngestServer, type IngestServer, type IngestServerOptions } from './ingest-server.ts';
export { parseTokens, type IngestToken } from './tokens.ts';
export type { SinkReport } from './deliver-spans.ts';
