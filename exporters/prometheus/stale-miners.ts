import type { MinerStats } from '#facts/miner-stats';

/** A miner is stale when its slot has a newer holder and its own row was not updated for this long. */
export const REPLACED_AFTER_MICROS = 6 * 3_600_000_000;
/** A miner is stale in any case when its row was not updated for this long. */
export const QUIET_AFTER_MICROS = 30 * 86_400_000_000;

/** The columns that decide whether a miner is stale. */
export type MinerPresence = Pick<MinerStats, 'validatorId' | 'minerUid' | 'updatedAt'>;

/** The newest `updatedAt` of one validator: over all its rows, and by slot. */
interface NewestRows {
  updatedAt: number;
  readonly bySlot: Map<number, number>;
}

/**
 * The stale miners: a pure function of the rows, without a clock. The newest row of the same validator serves as "now".
 * Dropping stale rows does not change which other rows are stale.
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
