import type { ServerResponse } from 'node:http';

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** How the body is compressed; as it is unless given. */
  readonly encoding?: 'gzip';
  /** The headers of the request that the reply depends on. */
  readonly vary?: string;
  /** Methods that the path knows; goes with 405. */
  readonly allow?: string;
}

export const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

export const textReply = (status: number, line: string): Reply => ({
  status,
  contentType: TEXT,
  body: `${line}\n`,
});

export const jsonReply = (status: number, value: unknown): Reply => ({
  status,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

/** Sends a reply; to HEAD everything but the body. Nothing of it may be kept by a cache. */
export function send(response: ServerResponse, reply: Reply): void {
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body, 'utf8') : reply.body;
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    ...(reply.encoding !== undefined && { 'content-encoding': reply.encoding }),
    ...(reply.vary !== undefined && { vary: reply.vary }),
    ...(reply.allow !== undefined && { allow: reply.allow }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
