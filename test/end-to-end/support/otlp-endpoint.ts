import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
});
const attributes = z.array(z.object({ key: z.string(), value }));
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  status: z.object({ code: z.number(), message: z.string().optional() }),
  attributes,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
});
const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          scope: z.object({ name: z.string(), version: z.string().optional() }),
          schemaUrl: z.string().optional(),
          spans: z.array(span),
        }),
      ),
    }),
  ),
});

/** A span as it came over OTLP. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** As OTLP counts: 1 internal, 3 client. */
  readonly kind: number;
  /** As OTLP counts: 2 is an error. */
  readonly status: { readonly code: number; readonly message?: string | undefined };
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: {
    readonly name: string;
    readonly version?: string | undefined;
    readonly schemaUrl?: string | undefined;
  };
}

/** An OTLP/HTTP endpoint that keeps what it is sent. */
export interface OtlpEndpoint {
  readonly url: string;
  readonly spans: readonly ExportedSpan[];
  close(): Promise<void>;
}

const toRecord = (list: z.output<typeof attributes>): Record<string, string> =>
  Object.fromEntries(
    list.map(({ key, value: told }) => [key, told.stringValue ?? String(told.intValue ?? '')]),
  );

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Understands the requests of the JSON exporter; anything else is answered with 400, and the test finds it missing. */
export async function openOtlpEndpoint(): Promise<OtlpEndpoint> {
  const spans: ExportedSpan[] = [];
  const keep = async (message: IncomingMessage): Promise<void> => {
    for (const { resource, scopeSpans } of request.parse(JSON.parse(await bodyOf(message))).resourceSpans) {
      for (const { scope: from, schemaUrl, spans: ofScope } of scopeSpans) {
        const scope = { ...from, schemaUrl };
        for (const sent of ofScope) {
          const parentSpanId = sent.parentSpanId ?? null;
          const told = { attributes: toRecord(sent.attributes), resource: toRecord(resource.attributes) };
          spans.push({ ...sent, ...told, scope, parentSpanId });
        }
      }
    }
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
