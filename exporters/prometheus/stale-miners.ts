import type { MinerStats } from '#facts/miner-stats';

/** Grace before the old holder of a reassigned slot counts as stale, microseconds. */
export const REPLACED_AFTER_MICROS = 6 * 3_600_000_000;
/** Silence after which any miner counts as stale, microseconds. */
export const QUIET_AFTER_MICROS = 30 * 86_400_000_000;

/** The fields by which a miner counts as stale. */
export type MinerPresence = Pick<MinerStats, 'validatorId' | 'minerUid' | 'updatedAt'>;

/** The newest instants of one validator: of all its rows, and of those that name a slot. */
interface NewestRows {
  updatedAt: number;
  readonly bySlot: Map<number, number>;
}

/**
 * The miners that have left, by the rows alone and by no clock: the clock is the newest row of the same validator.
 * The rows of those who left make no difference to who else has left.
 */
export function findStaleMiners<Miner extends MinerPresence>(miners: Iterable<Miner>): readonly Miner[] {
  const all = [...miners];
  const newest = findNewest(all);
  return all.filter(({ validatorId, minerUid, updatedAt }) => {
    const ofValidator = newest.get(validatorId);
    if (ofValidator === undefined) return false;
    const isReplaced = minerUid !== null && (ofValidator.bySlot.get(minerUid) ?? updatedAt) > updatedAt;
    return ofValidator.updatedAt - updatedAt > (isReplaced ? REPLACED_AFTER_MICROS : QUIET_AFTER_MICROS);
  });
}

function findNewest(miners: readonly MinerPresence[]): ReadonlyMap<number, NewestRows> {
  const newest = new Map<number, NewestRows>();
  for (const { validatorId, minerUid, updatedAt } of miners) {
    const known = newest.get(validatorId) ?? { updatedAt, bySlot: new Map<number, number>() };
    newest.set(validatorId, known);
    known.updatedAt = Math.max(known.updatedAt, updatedAt);
    if (minerUid !== null)
      known.bySlot.set(minerUid, Math.max(known.bySlot.get(minerUid) ?? updatedAt, updatedAt));
  }
  return newest;
}
