/** The response of a route. Caching is forbidden for all of them, since every reply is a snapshot. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export const textReply = (status: number, line: string, headers: Reply['headers'] = {}): Reply => ({
  status,
  headers: { ...headers, ...TEXT },
  body: `${line}\n`,
});

export const jsonReply = (status: number, value: unknown): Reply => ({
  status,
  headers: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});
