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
  kind: z.number().default(0),
  status: z.object({ code: z.number().default(0), message: z.string().optional() }),
  attributes: attributes.default([]),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
});
/** A request, and what the query API of Jaeger answers. */
const tracesData = z.object({
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

const toRecord = (list: z.output<typeof attributes>): Record<string, string> =>
  Object.fromEntries(
    list.map(({ key, value: attribute }) => [key, attribute.stringValue ?? String(attribute.intValue ?? '')]),
  );

/** The spans of traces data in JSON. @throws ZodError for anything else */
export function toExportedSpans(body: unknown): readonly ExportedSpan[] {
  return tracesData.parse(body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, schemaUrl, spans }) =>
      spans.map((sent) => ({
        ...sent,
        parentSpanId: sent.parentSpanId ?? null,
        attributes: toRecord(sent.attributes),
        resource: toRecord(resource.attributes),
        scope: { ...scope, schemaUrl },
      })),
    ),
  );
}
