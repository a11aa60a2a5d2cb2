import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Arrivals, Arriving } from './arrivals.ts';
import { RefusedRequest } from './doors.ts';

const TOO_LARGE = 'The body is too large.';

/**
 * Reads bodies whole, of any content type, within a budget of all that have arrived and are not answered: a limit for each
 * body alone would let many of them, or many that are half sent, take all memory.
 */
export function readBodies(
  app: FastifyInstance,
  { maxBodyBytes, arrivals }: { readonly maxBodyBytes: number; readonly arrivals: Arrivals },
): void {
  const bodies = new WeakMap<FastifyRequest, Arriving>();
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', (request, reply, payload, done) => {
    // When it is answered, or its client is gone.
    reply.raw.once('close', () => bodies.get(request)?.release());
    done(null, payload);
  });
  app.addContentTypeParser('*', (request, payload, done) => {
    const open = (refuse: (error: RefusedRequest) => void): Arriving => {
      const body = arrivals.open(refuse);
      bodies.set(request, body);
      return body;
    };
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes)
      done(new RefusedRequest(413, TOO_LARGE));
    else readBody(payload, { maxBodyBytes, open }, done);
  });
}

/** A body above a limit is not kept; its rest is drained, so that its client can read the reply. */
function readBody(
  payload: NodeJS.ReadableStream,
  { maxBodyBytes, open }: { maxBodyBytes: number; open: Arrivals['open'] },
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (error: Error | null): void => {
    if (error === null) body.markWhole();
    payload.off('data', keep).off('end', end).off('error', cutOff).off('close', cutOff);
    payload.on('error', () => undefined).resume();
    done(error, error === null ? Buffer.concat(chunks) : undefined);
  };
  const keep = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) finish(new RefusedRequest(413, TOO_LARGE));
    else if (!body.take(chunk.length)) finish(new RefusedRequest(503, 'Too many bodies at once.', 1));
    else chunks.push(chunk);
  };
  const end = (): void => finish(null);
  const body = open(finish);
  const cutOff = (): void => finish(new RefusedRequest(400, 'The body ends before its length.'));
  payload.on('data', keep).on('end', end).on('error', cutOff).on('close', cutOff);
}
