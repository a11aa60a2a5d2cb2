import { request } from 'node:http';
import type { HttpServer } from '#http/http-server';
import { startMetricsServer, type MetricsServerOptions } from '#http/metrics-server';

/** What a client of the server sees. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Starts a server on a port that the kernel chooses; it shows one metric and is ready unless told otherwise. */
export const startServer = (options: Partial<MetricsServerOptions> = {}): Promise<HttpServer> =>
  startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    render: async (accept) => ({
      contentType: 'text/plain; version=0.0.4',
      body: `accept ${accept ?? 'nothing'}\n`,
    }),
    ready: async () => ({ ready: true, reasons: [] }),
    ...options,
  });

/** Runs `use` against a server and closes it, whatever happens. */
export async function withServer<Result>(
  options: Partial<MetricsServerOptions>,
  use: (server: HttpServer) => Promise<Result>,
): Promise<Result> {
  const server = await startServer(options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** One request, its path sent as it is written here. */
export function ask(
  { port }: Pick<HttpServer, 'port'>,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Seen> {
  const { method = 'GET', headers = {} } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}
