import { createServer } from 'node:net';

/** The only address on which the embedded server listens. */
export const LOOPBACK = '127.0.0.1';

/**
 * Finds an unused TCP port of the loopback: the wanted one if it is free, else one assigned by the kernel.
 *
 * Race: the port can be taken before it is bound, so callers must be prepared to retry.
 */
export async function findFreePort(wanted = 0): Promise<number> {
  const port = await probePort(wanted);
  if (port !== undefined) return port;
  return findFreePort();
}

async function probePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
