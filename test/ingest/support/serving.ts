import { request, type IncomingHttpHeaders } from 'node:http';
import { startIngestServer, type IngestServer, type IngestServerOptions, type SinkReport } from '#ingest';
import type { ObservedSpan } from '#facts/observed-span';

/** An ingest server with what it took. */
export interface Serving {
  readonly server: IngestServer;
  readonly taken: ObservedSpan[];
  readonly problems: unknown[];
}

/** Runs `use` against a server on a port that the kernel chooses, and closes it, whatever happens. */
export async function serving<Result>(
  options: Partial<IngestServerOptions>,
  use: (serving: Serving) => Promise<Result>,
): Promise<Result> {
  const taken: ObservedSpan[] = [];
  const problems: unknown[] = [];
  const server = await startIngestServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [],
    deliver: async (spans) => {
      taken.push(...spans);
      return { kind: 'written' };
    },
    onProblem: (error) => void problems.push(error),
    ...options,
  });
  try {
    return await use({ server, taken, problems });
  } finally {
    await server.close();
  }
}

/** What a sender sees. */
export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** One request; protobuf unless its headers say otherwise. */
export function send({ port }: Pick<IngestServer, 'port'>, sent: Sent = {}): Promise<Seen> {
  const { method = 'POST', path = '/v1/traces', headers = {}, body = '' } = sent;
  const all = { 'content-type': 'application/x-protobuf', ...headers };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers: all }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** The JSON of an answer. */
export const parsed = ({ body }: Seen): unknown => JSON.parse(body.toString('utf8'));

/** A sink that keeps its first batch until it is let go. */
export function slowSink() {
  let begin = (): void => undefined;
  let letGo = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  const deliver = async (): Promise<SinkReport> => {
    begin();
    await gone;
    return { kind: 'written' };
  };
  return { deliver, begun, letGo };
}
