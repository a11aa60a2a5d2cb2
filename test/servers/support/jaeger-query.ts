import { z } from 'zod';
import { toExportedSpans, type ExportedSpan } from '#test/end-to-end/support/exported-span';

const answer = z.object({ result: z.unknown() });

/** The spans of a trace from Jaeger's query API; empty when Jaeger has no such trace. */
export async function readTrace(jaegerUrl: string, traceId: string): Promise<readonly ExportedSpan[]> {
  const response = await fetch(`${jaegerUrl}/api/v3/traces/${traceId}`);
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`Jaeger answered ${response.status}: ${await response.text()}`);
  return toExportedSpans(answer.parse(await response.json()).result);
}

const uiConfig = z.object({
  linkPatterns: z.array(z.object({ key: z.string(), url: z.string(), text: z.string() })),
});

/** The links from traces elsewhere that Jaeger's pages are served with. */
export async function readLinkPatterns(
  jaegerUrl: string,
): Promise<z.output<typeof uiConfig>['linkPatterns']> {
  const page = await (await fetch(jaegerUrl)).text();
  const [, config = ''] = /JAEGER_CONFIG = (\{.*\});?$/m.exec(page) ?? [];
  return uiConfig.parse(JSON.parse(config)).linkPatterns;
}
