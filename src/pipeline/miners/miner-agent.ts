import { Agent } from 'undici';

const KEEP_ALIVE_MILLIS = 10_000;

/**
 * A pool of connections to miners. Miners sign their own certificates, so none is checked: who answers is known by
 * hotkey and signature. Whoever opens it closes it.
 *
 * @param connectionsPerMiner connections to one origin at a time
 */
export function openMinerAgent(connectionsPerMiner = 8): Agent {
  return new Agent({
    connections: connectionsPerMiner,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    connect: { rejectUnauthorized: false },
  });
}
