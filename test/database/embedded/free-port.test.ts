import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { findFreePort, LOOPBACK } from '#database/embedded/free-port';

describe('findFreePort', () => {
  it('the wanted port is returned while it is free, so that the URL stays valid between starts', async () => {
    const port = await findFreePort();
    expect(port).toBeGreaterThan(1023);
    expect(await findFreePort(port)).toBe(port);
  });

  it('another port is returned when the wanted one is taken', async () => {
    const occupant = createServer().listen(0, LOOPBACK);
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const found = await findFreePort(port);
    expect(found).not.toBe(port);
    expect(found).toBeGreaterThan(1023);
  });
});
