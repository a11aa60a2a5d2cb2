export { createMinerClient } from './client.ts';
export type {
  ForecastReader,
  ManifestFiles,
  MinerClient,
  MinerClientOptions,
  MinerTimeouts,
  ReplyLimits,
} from './client.ts';
export { toForecastRunId } from './forecast-run-id.ts';
export { isSignedBy, signBytes, SIGNATURE_BYTES } from './hotkey-signature.ts';
export { decodeHotkey, encodeHotkey, isHotkey } from './hotkey.ts';
export { toJobId } from './job-id.ts';
export {
  buildManifest,
  fileHash,
  MANIFEST_FILE,
  manifestHash,
  SIGNATURE_FILE,
  verifyManifest,
} from './manifest.ts';
export type { ManifestClaim, ManifestContents, ManifestHeader, VerifiedManifest } from './manifest.ts';
export { openForecastAgent, openMinerAgent } from './miner-agent.ts';
export { MinerCallError, type Operation } from './miner-call-error.ts';
export { parseMinerList, readMinerList } from './miner-list.ts';
export type { ForecastAccess, Miner } from './miner.ts';
export type { ForecastRequest } from './protocol.ts';
export type { InitiateFetchReply, PollReply, TokenReply } from './replies.ts';
