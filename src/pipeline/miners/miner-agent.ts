import { Agent, type buildConnector } from 'undici';
import { createMinersConnector } from './miners-tls.ts';

const KEEP_ALIVE_MILLIS = 10_000;

/**
 * Opens a connection pool for calls to miners. The caller closes it.
 *
 * Where certificates are not verified, files are authenticated all the same: the manifest by the hotkey's signature, every other
 * file by its hash in the manifest. Nothing authenticates the other replies, or protects a token from an attacker on the network path.
 *
 * @param connectionsPerMiner concurrent connections to one origin
 */
export function openMinerAgent(
  connectionsPerMiner = 8,
  connect: buildConnector.connector = createMinersConnector(),
): Agent {
  return new Agent({ connections: connectionsPerMiner, keepAliveTimeout: KEEP_ALIVE_MILLIS, connect });
}

/**
 * Opens a connection pool for the forecast files that miners host; connections are not limited. Use it for stores with manifest
 * verification only. The caller closes it.
 */
export function openForecastAgent(connect: buildConnector.connector = createMinersConnector()): Agent {
  return new Agent({ connect });
}
