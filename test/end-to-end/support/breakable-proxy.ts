import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a database that can be cut and mended, frozen and thawed. */
export interface BreakableProxy {
  /** The URL of the database, by this way. */
  readonly url: string;
  /** Breaks every connection off and takes no new one. */
  cut(): Promise<void>;
  /** Listens again, at the same port. */
  mend(): Promise<void>;
  /** Swallows from now on what either side sends, and takes connections as before: a firewall that forgot them. */
  freeze(): void;
  /** Lets through again what is sent from now on. */
  thaw(): void;
}

/** Opens a way to the database of the URL; `cut` also closes it. */
export async function openBreakableProxy(databaseUrl: string): Promise<BreakableProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('data', (chunk) => {
        if (!isFrozen) other.write(chunk);
      });
      socket.on('end', () => other.end());
    }
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.port = String(port);
  return {
    url: url.href,
    cut: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    mend: () => listen(server, port),
    freeze: () => void (isFrozen = true),
    thaw: () => void (isFrozen = false),
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
