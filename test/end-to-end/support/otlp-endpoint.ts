import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toExportedSpans, type ExportedSpan } from './exported-span.ts';

/** An OTLP/HTTP endpoint that keeps what it is sent. */
export interface OtlpEndpoint {
  readonly url: string;
  readonly spans: readonly ExportedSpan[];
  close(): Promise<void>;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Understands the requests of the JSON exporter; anything else is answered with 400, and the test finds it missing. */
export async function openOtlpEndpoint(): Promise<OtlpEndpoint> {
  const spans: ExportedSpan[] = [];
  const keep = async (message: IncomingMessage): Promise<void> => {
    spans.push(...toExportedSpans(JSON.parse(await bodyOf(message))));
  };
  const server = createServer((message, response) => {
    keep(message).then(
      () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      () => response.writeHead(400).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
