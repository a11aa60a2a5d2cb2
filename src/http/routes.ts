import { CategorizedError } from '#semconv';
import { withDeadline } from './deadline.ts';
import { jsonReply, textReply, type Reply } from './reply.ts';

/** Whether the program can do its work now, and if not, why: short words for people, without secrets. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** What the server shows. */
export interface RouteSources {
  /** The metrics in the format that the Accept header asks for. */
  readonly render: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly ready: () => Promise<Readiness>;
  /** Longest time for either of them. A scrape is given up after 10 s by default, so 9 s still give a reason. */
  readonly deadlineMillis: number;
  /** Told of what went wrong; the client learns only the kind. */
  readonly onError: (error: unknown) => void;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly accept: string | undefined;
}

type Route = (sources: RouteSources, request: Request) => Promise<Reply>;

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['/metrics', metrics],
  ['/healthz', alive],
  ['/readyz', readiness],
]);
const METHODS = ['GET', 'HEAD'];

/** Answers one request; whatever goes wrong inside is an answer too. */
export async function routeRequest(sources: RouteSources, request: Request): Promise<Reply> {
  const route = ROUTES.get(request.path);
  if (route === undefined)
    return textReply(404, `not found; this server knows ${[...ROUTES.keys()].join(', ')}`);
  if (!METHODS.includes(request.method)) {
    const allow = METHODS.join(', ');
    return { ...textReply(405, `method not allowed; use ${allow}`), allow };
  }
  return route(sources, request);
}

/** The event loop turns: that is all that being alive means. */
function alive(): Promise<Reply> {
  return Promise.resolve(textReply(200, 'alive'));
}

async function metrics(sources: RouteSources, { accept }: Request): Promise<Reply> {
  try {
    const work = () => sources.render(accept);
    return {
      status: 200,
      ...(await withDeadline(work, sources.deadlineMillis, { what: 'rendering the metrics' })),
    };
  } catch (error) {
    sources.onError(error);
    return textReply(500, `the metrics could not be rendered: ${kindOf(error)}`);
  }
}

/** A check that fails or hangs is a reason not to be ready. */
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

/** The kind of an error; its message may hold what strangers must not see. */
function kindOf(error: unknown): string {
  if (error instanceof CategorizedError) return error.category;
  return error instanceof Error ? error.name : typeof error;
}
