import { CategorizedError } from '#semconv';
import { withDeadline } from './deadline.ts';
import type { HttpRequest, Route } from './http-server.ts';
import { jsonReply, textReply, type Reply } from './reply.ts';

/** Whether the program can work now; `reasons` are short texts for people, without secrets. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** What the routes read from. */
export interface RouteSources {
  /** Renders the metrics in the format that the Accept header asks for. */
  readonly render: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly ready: () => Promise<Readiness>;
  /** Deadline of each of them. Prometheus gives up a scrape after 10 s by default, so 9 s still return a reason. */
  readonly deadlineMillis: number;
  /** Receives every error; the client gets only its kind. */
  readonly onError: (error: unknown) => void;
}

/** The three routes, which answer GET and HEAD; an error of a source becomes a reply too. */
export function metricsRoutes(sources: RouteSources): readonly Route[] {
  return [
    { path: '/metrics', method: 'GET', handle: ({ headers }) => metrics(sources, headers.accept) },
    { path: '/healthz', method: 'GET', handle: alive },
    { path: '/readyz', method: 'GET', handle: () => readiness(sources) },
  ];
}

/** Names the methods with 405 and the paths with 404. */
export function toMissingReply(_request: HttpRequest, allowed: readonly string[]): Reply {
  if (allowed.length === 0) return textReply(404, 'not found; this server knows /metrics, /healthz, /readyz');
  const allow = allowed.join(', ');
  return textReply(405, `method not allowed; use ${allow}`, { allow });
}

/** Liveness: the event loop turns, and nothing else is checked. */
function alive(): Promise<Reply> {
  return Promise.resolve(textReply(200, 'alive'));
}

async function metrics(sources: RouteSources, accept: string | undefined): Promise<Reply> {
  try {
    const work = () => sources.render(accept);
    const rendered = await withDeadline(work, sources.deadlineMillis, { what: 'rendering the metrics' });
    return { status: 200, headers: { 'content-type': rendered.contentType }, body: rendered.body };
  } catch (error) {
    sources.onError(error);
    return textReply(500, `the metrics could not be rendered: ${kindOf(error)}`);
  }
}

/** A readiness check that throws or exceeds its deadline means not ready. */
async function readiness(sources: RouteSources): Promise<Reply> {
  const work = () => sources.ready();
  try {
    const { ready, reasons } = await withDeadline(work, sources.deadlineMillis, {
      what: 'the readiness check',
    });
    return jsonReply(ready ? 200 : 503, { ready, reasons });
  } catch (error) {
    sources.onError(error);
    return jsonReply(503, { ready: false, reasons: [`the readiness check failed: ${kindOf(error)}`] });
  }
}

/** The kind of an error; its message may contain what clients must not see. */
function kindOf(error: unknown): string {
  if (error instanceof CategorizedError) return error.category;
  return error instanceof Error ? error.name : typeof error;
}
