import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { createMinersConnector, type MinersTls } from '#pipeline/miners/index';
import { toTransportFailure } from '#pipeline/miners/transport-failure';

/** Key and certificate of a miner that signs its own; made for these tests. */
const pem = (name: 'one' | 'two'): string =>
  readFileSync(join(import.meta.dirname, `fixtures/self-signed-${name}.pem`), 'utf8');

const servers: Server[] = [];
const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(name: 'one' | 'two'): Promise<{ server: Server; port: number }> {
  const server = createServer({ key: pem(name), cert: pem(name) }, (_, response) => response.end('here'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function callerOf(mode: MinersTls, connector = createMinersConnector(mode)) {
  const agent = new Agent({ connect: connector });
  agents.push(agent);
  return async (port: number): Promise<string> => {
    // Each call opens a connection of its own, as after an idle time.
    const { body } = await request(`https://127.0.0.1:${String(port)}/`, { dispatcher: agent, reset: true });
    return body.text();
  };
}

const failureOf = (call: Promise<string>) => call.then(() => 'an answer', toTransportFailure);

describe('createMinersConnector', () => {
  it('a certificate that a miner signed itself is accepted with off, and no longer the same one is, too', async () => {
    const call = callerOf('off');
    const { server, port } = await serve('one');
    expect(await call(port)).toBe('here');
    server.setSecureContext({ key: pem('two'), cert: pem('two') });
    expect(await call(port)).toBe('here');
  });

  it('with pin the first certificate of an address is accepted, and no other', async () => {
    const call = callerOf('pin');
    const { server, port } = await serve('one');
    expect([await call(port), await call(port)]).toEqual(['here', 'here']);
    server.setSecureContext({ key: pem('two'), cert: pem('two') });
    expect(await failureOf(call(port))).toEqual({
      category: 'handshake',
      code: 'ERR_TLS_CERT_PIN_MISMATCH',
    });
    server.setSecureContext({ key: pem('one'), cert: pem('one') });
    expect(await call(port)).toBe('here');
  });

  it('what one pool has pinned holds for another that has the same connector', async () => {
    const connector = createMinersConnector('pin');
    const { server, port } = await serve('one');
    expect(await callerOf('pin', connector)(port)).toBe('here');
    server.setSecureContext({ key: pem('two'), cert: pem('two') });
    expect(await failureOf(callerOf('pin', connector)(port))).toMatchObject({ category: 'handshake' });
  });

  it('with verify a certificate that no authority has signed is a failed handshake', async () => {
    const { port } = await serve('one');
    expect(await failureOf(callerOf('verify')(port))).toMatchObject({ category: 'handshake' });
  });
});
