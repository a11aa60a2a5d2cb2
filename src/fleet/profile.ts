import { seededFraction } from './seeded-fraction.ts';

/** Behaviours of simulated miners. */
export const PROFILES = [
  /** Infers soon and honestly; some have the forecast ready before the first request. */
  'good',
  /** Needs many polls and reports its progress. */
  'slow',
  /** Answers with 503, drops connections and lets requests hang, then recovers. */
  'flaky',
  /** Rejects every request: it claims another hotkey. */
  'rejecting',
  /** Refuses connections: nothing listens on its port. */
  'offline',
  /** Its forecast holds NaN. */
  'nan',
  /** Changes its chunks after the manifest was read. */
  'tampering',
  /** Submits the reference as its own forecast. */
  'copying',
  /** Its inference fails. */
  'failing',
] as const;
export type Profile = (typeof PROFILES)[number];

/** Faulty profiles, in the order in which a growing fleet gets them. */
const FAULTS = PROFILES.filter((profile) => profile !== 'good');

/**
 * A profile for each of `count` miners, the same for the same seed. At least half of the fleet is good; from 16 miners
 * on, every profile occurs.
 */
export function assignProfiles(count: number, seed: number): Profile[] {
  const faults = Array.from(
    { length: Math.floor(count / 2) },
    (_, index) => FAULTS[index % FAULTS.length] ?? 'good',
  );
  const good = Array.from({ length: count - faults.length }, (): Profile => 'good');
  return [...good, ...faults]
    .map((profile, index) => ({ profile: profile, order: seededFraction(seed, 'place', index) }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ profile: profile }) => profile);
}
