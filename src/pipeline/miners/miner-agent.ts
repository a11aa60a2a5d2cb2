import { Agent } from 'undici';

const KEEP_ALIVE_MILLIS = 10_000;

/**
 * Accepts any TLS certificate: miners sign their own, so there is no authority to check them against. Files are
 * authenticated instead: the manifest by the hotkey's signature, every other file by its hash in the manifest. Nothing
 * authenticates the other replies, or protects a token from an attacker on the network path.
 */
const SELF_SIGNED = { rejectUnauthorized: false } as const;

/**
 * Opens a connection pool for calls to miners that does not verify certificates, see `SELF_SIGNED`. The caller closes it.
 *
 * @param connectionsPerMiner concurrent connections to one origin
 */
export function openMinerAgent(connectionsPerMiner = 8): Agent {
  return new Agent({
    connections: connectionsPerMiner,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    connect: SELF_SIGNED,
  });
}

/**
 * Opens a connection pool for the forecast files that miners host: certificates are not verified, see `SELF_SIGNED`, and
 * connections are not limited. Use it for stores with manifest verification only. The caller closes it.
 */
export function openForecastAgent(): Agent {
  return new Agent({ connect: SELF_SIGNED });
}
