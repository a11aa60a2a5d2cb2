import { Agent } from 'undici';

const KEEP_ALIVE_MILLIS = 10_000;

/**
 * Accepts any TLS certificate: miners sign their own, so there is no authority to check them against. Files are
 * authenticated instead: the manifest by the hotkey's signature, every other file by its hash in the manifest. Nothing
 * authenticates the other replies, or protects a token from whoever controls the network path.
 */
const SELF_SIGNED = { rejectUnauthorized: false } as const;

/**
 * A pool of connections to miners that does not verify certificates, see `SELF_SIGNED`. Whoever opens it closes it.
 *
 * @param connectionsPerMiner connections to one origin at a time
 */
export function openMinerAgent(connectionsPerMiner = 8): Agent {
  return new Agent({
    connections: connectionsPerMiner,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    connect: SELF_SIGNED,
  });
}

/**
 * A pool of connections to the files of forecasts, which miners host: no certificate is verified, see `SELF_SIGNED`, and
 * connections are not limited. For verified stores only. Whoever opens it closes it.
 */
export function openForecastAgent(): Agent {
  return new Agent({ connect: SELF_SIGNED });
}
