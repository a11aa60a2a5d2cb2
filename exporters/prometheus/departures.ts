import type { MinerStats } from '../../src/facts/miner-stats.ts';

/** A slot has another holder, and its old one was not heard of for so long: the old one has left. */
export const REPLACED_AFTER_MICROS = 6 * 3_600_000_000;
/** Whoever was not heard of for so long has left. */
export const QUIET_AFTER_MICROS = 30 * 86_400_000_000;

/** What says whether a miner is still there. */
export type MinerPresence = Pick<MinerStats, 'validatorId' | 'minerUid' | 'updatedAt'>;

/**
 * The miners that have left, by the rows alone and by no clock: time is what the newest row of the same validator says.
 * The rows of those who left make no difference to who else has left.
 */
export function findDepartures<Miner extends MinerPresence>(miners: Iterable<Miner>): readonly Miner[] {
  const all = [...miners];
  const newest = newestBy(all, ({ validatorId }) => String(validatorId));
  const holders = newestBy(all, slotOf);
  return all.filter((miner) => {
    const quiet = (newest.get(String(miner.validatorId)) ?? 0) - miner.updatedAt;
    const isReplaced = miner.minerUid !== null && (holders.get(slotOf(miner)) ?? 0) > miner.updatedAt;
    return quiet > (isReplaced ? REPLACED_AFTER_MICROS : QUIET_AFTER_MICROS);
  });
}

const slotOf = ({ validatorId, minerUid }: MinerPresence): string => `${validatorId}/${minerUid ?? ''}`;

function newestBy(miners: readonly MinerPresence[], groupOf: (miner: MinerPresence) => string) {
  const newest = new Map<string, number>();
  for (const miner of miners) {
    const group = groupOf(miner);
    const known = newest.get(group);
    if (known === undefined || miner.updatedAt > known) newest.set(group, miner.updatedAt);
  }
  return newest;
}
