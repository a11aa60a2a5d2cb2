import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RefusedRequest, type Budget } from './doors.ts';

const TOO_LARGE = 'The body is too large.';

/** Bytes of a body that are taken from the budget. */
interface Taken {
  bytes: number;
}

/**
 * Reads bodies whole, of any content type, within a budget of all that have arrived and are not answered: a limit for each
 * body alone would let many of them, or many that are half sent, take all memory.
 */
export function readBodies(
  app: FastifyInstance,
  { maxBodyBytes, arrived }: { readonly maxBodyBytes: number; readonly arrived: Budget },
): void {
  const takenBy = new WeakMap<FastifyRequest, Taken>();
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', (request, reply, payload, done) => {
    const taken = { bytes: 0 };
    takenBy.set(request, taken);
    // When it is answered, or its client is gone.
    reply.raw.once('close', () => {
      arrived.release(taken.bytes);
      taken.bytes = 0;
    });
    done(null, payload);
  });
  app.addContentTypeParser('*', (request, payload, done) => {
    const taken = takenBy.get(request) ?? { bytes: 0 };
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes)
      done(new RefusedRequest(413, TOO_LARGE));
    else readBody(payload, { maxBodyBytes, arrived, taken }, done);
  });
}

/** A body above a limit is not kept; its rest is drained, so that its client can read the reply. */
function readBody(
  payload: NodeJS.ReadableStream,
  { maxBodyBytes, arrived, taken }: { maxBodyBytes: number; arrived: Budget; taken: Taken },
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (error: Error | null): void => {
    payload.off('data', keep).off('end', end).off('error', cutOff).off('close', cutOff);
    payload.on('error', () => undefined).resume();
    done(error, error === null ? Buffer.concat(chunks) : undefined);
  };
  const keep = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) finish(new RefusedRequest(413, TOO_LARGE));
    else if (!arrived.reserve(chunk.length)) finish(new RefusedRequest(503, 'Too many bodies at once.', 1));
    else {
      taken.bytes += chunk.length;
      chunks.push(chunk);
    }
  };
  const end = (): void => finish(null);
  const cutOff = (): void => finish(new RefusedRequest(400, 'The body ends before its length.'));
  payload.on('data', keep).on('end', end).on('error', cutOff).on('close', cutOff);
}
