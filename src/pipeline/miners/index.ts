export { createMinerClient } from './client.ts';
export type { ManifestFiles, MinerClient, MinerClientOptions } from './client.ts';
export { createFiberTransport } from './fiber/fiber-transport.ts';
export { FIBER_DIALECTS, type FiberDialect } from './fiber/signed-request.ts';
export { readHotkeyFile } from './hotkey-file.ts';
export { signBytes } from './hotkey-signature.ts';
export { decodeHotkey, encodeHotkey, isHotkey } from './hotkey.ts';
export { toJobId } from './protocol.ts';
export {
  buildManifest,
  fileHash,
  MANIFEST_FILE,
  manifestHash,
  SIGNATURE_FILE,
  verifyManifest,
} from './manifest.ts';
export type { ManifestClaim, VerifiedManifest } from './manifest.ts';
export { openForecastAgent, openMinerAgent } from './miner-agent.ts';
export { createMinersConnector, DEFAULT_MINERS_TLS, MINERS_TLS, type MinersTls } from './miners-tls.ts';
export { MinerCallError } from './miner-call-error.ts';
export { readMinerList } from './miner-list.ts';
export type { ForecastAccess, Miner } from './miner.ts';
export { progressOf } from './replies.ts';
export type { InitiateFetchReply, PollReply, TokenReply } from './replies.ts';
export type { MinerTransport } from './transport.ts';
