import { seededFraction } from './seeded-fraction.ts';

/** The parts that simulated miners play. */
export const PROFILES = [
  /** Infers soon and honestly; some have the forecast ready before they are asked. */
  'good',
  /** Needs many polls and reports its progress. */
  'slow',
  /** Answers with 503, drops connections and lets requests hang, then recovers. */
  'flaky',
  /** Says that it is another hotkey. */
  'rejecting',
  /** Listens nowhere. */
  'offline',
  /** Its forecast holds NaN. */
  'nan',
  /** Changes its chunks after the manifest was read. */
  'tampering',
  /** Hands in the reference as its own forecast. */
  'copying',
  /** Its inference fails. */
  'failing',
] as const;
export type Profile = (typeof PROFILES)[number];

/** Faults by how early a small fleet shows them. */
const FAULTS = PROFILES.filter((profile) => profile !== 'good');

/**
 * A part for each of `count` miners, the same for the same seed. Half of the fleet or more is good; from 16 miners on,
 * every part is played at least once.
 */
export function assignProfiles(count: number, seed: number): Profile[] {
  const faults = Array.from(
    { length: Math.floor(count / 2) },
    (_, index) => FAULTS[index % FAULTS.length] ?? 'good',
  );
  const good = Array.from({ length: count - faults.length }, (): Profile => 'good');
  return [...good, ...faults]
    .map((part, index) => ({ part, order: seededFraction(seed, 'place', index) }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ part }) => part);
}
