import { secretFromSeed } from '@scure/sr25519';
import { signerOfSeed } from '#pipeline/miners/hotkey-file';
import type { Profile } from './profile.ts';
import { seededBytes, seededFraction, seededInteger } from './seeded-fraction.ts';

/** Identity and behaviour of a simulated miner: a pure function of the fleet's seed, the UID and the profile. */
export interface SimulatedMiner {
  readonly uid: number;
  readonly hotkey: string;
  readonly profile: Profile;
  /** A seed of its own, for its forecast. */
  readonly seed: number;
  /** How good its forecast is, 0 to 1. */
  readonly quality: number;
  /** Polls answered with "still running" before the outcome; 0: the forecast is complete at the first request. */
  readonly inferencePolls: number;
}

/** Polls until inference completes, by profile. All below the validator's limit of 20 polls. */
const INFERENCE_POLLS: Record<Profile, { readonly from: number; readonly to: number }> = {
  good: { from: 0, to: 3 },
  slow: { from: 6, to: 9 },
  flaky: { from: 1, to: 3 },
  rejecting: { from: 0, to: 0 },
  offline: { from: 0, to: 0 },
  nan: { from: 1, to: 3 },
  tampering: { from: 1, to: 3 },
  copying: { from: 1, to: 1 },
  failing: { from: 1, to: 2 },
};

const hotkeySeed = (fleetSeed: number, uid: number): Uint8Array => seededBytes(fleetSeed, 'hotkey', uid);

/** The sr25519 secret key of the miner that holds a UID. */
export function secretKeyOf(fleetSeed: number, uid: number): Uint8Array {
  return secretFromSeed(hotkeySeed(fleetSeed, uid));
}

/** The miner of a UID, the same for the same seed. */
export function makeSimulatedMiner(fleetSeed: number, uid: number, profile: Profile): SimulatedMiner {
  return {
    uid,
    profile,
    hotkey: signerOfSeed(hotkeySeed(fleetSeed, uid)).hotkey,
    seed: seededInteger({ from: 1, to: 2 ** 31 - 1 }, fleetSeed, 'forecast', uid),
    quality: 0.4 + 0.58 * seededFraction(fleetSeed, 'quality', uid),
    inferencePolls: seededInteger(INFERENCE_POLLS[profile], fleetSeed, 'polls', uid),
  };
}
