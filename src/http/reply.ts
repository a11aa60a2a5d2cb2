import type { ServerResponse } from 'node:http';

/** The response of a route. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Allowed methods; sent with 405. */
  readonly allow?: string;
}

const TEXT = 'text/plain; charset=utf-8';
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

/** Sends a reply, without a body for HEAD. Caching is forbidden, since every reply is a snapshot. */
export function send(response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.body, 'utf8');
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    ...(reply.allow !== undefined && { allow: reply.allow }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
