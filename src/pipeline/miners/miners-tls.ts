import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';

/**
 * How the TLS certificates of miners are checked.
 *
 * * `off`: not at all. Miners of the network sign their own, and no authority or registry knows them.
 * * `pin`: the first certificate of an address is the only one that it may show as long as the process runs.
 * * `verify`: by the authorities that Node trusts, and the name of the host, as for any web server.
 */
export const MINERS_TLS = ['off', 'pin', 'verify'] as const;
export type MinersTls = (typeof MINERS_TLS)[number];

/** What the network needs. Manifest and files are proved by signature and hash, whoever transfers them. */
export const DEFAULT_MINERS_TLS: MinersTls = 'off';

/** Code of the error of a connection whose certificate is not the pinned one; it counts as a failed handshake. */
const PIN_MISMATCH = 'ERR_TLS_CERT_PIN_MISMATCH';

/** Opens the connections to miners. One connector for all agents of a process, so that they share what is pinned. */
export function createMinersConnector(mode: MinersTls = DEFAULT_MINERS_TLS): buildConnector.connector {
  const rejectUnauthorized = mode === 'verify';
  // A resumed session shows no certificate.
  if (mode === 'pin') return pinned(buildConnector({ rejectUnauthorized, maxCachedSessions: 0 }));
  return buildConnector({ rejectUnauthorized });
}

function pinned(connect: buildConnector.connector): buildConnector.connector {
  const pins = new Map<string, string>();
  return (options, callback) => {
    connect(options, (...outcome) => {
      const [error, socket] = outcome;
      if (error !== null || options.protocol !== 'https:') {
        callback(...outcome);
        return;
      }
      const shown = fingerprintOf(socket as TLSSocket);
      const address = `${options.hostname}:${options.port}`;
      const pin = pins.get(address);
      if (pin === undefined) pins.set(address, shown);
      if (pin === undefined || pin === shown) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      const message = 'The certificate is not the one that this address showed first (--miners-tls pin).';
      callback(Object.assign(new Error(message), { code: PIN_MISMATCH }), null);
    });
  };
}

function fingerprintOf(socket: TLSSocket): string {
  return createHash('sha256')
    .update(socket.getPeerX509Certificate()?.raw ?? '')
    .digest('hex');
}
