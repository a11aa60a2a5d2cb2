import type { Miner } from '../miners/index.ts';

/** Longest lead that the vocabulary allows, hours. */
const MAX_LEAD_HOURS = 1000;

/**
 * Checks the leads of a run: whole hours from 1, none twice.
 *
 * @returns the leads in rising order
 * @throws RangeError naming what was got and what is allowed
 */
export function requireLeads(leads: readonly number[]): readonly number[] {
  const wrong = leads.find((lead) => !Number.isInteger(lead) || lead < 1 || lead > MAX_LEAD_HOURS);
  if (leads.length === 0 || wrong !== undefined || new Set(leads).size !== leads.length) {
    throw new RangeError(
      `The leads are [${leads.join(', ')}]; allowed are one or more different whole hours from 1 to ${MAX_LEAD_HOURS}.`,
    );
  }
  return leads.toSorted((one, other) => one - other);
}

/**
 * Checks the miners of a run: at least one, UIDs 0 to 255, no UID and no hotkey twice.
 *
 * @throws RangeError naming what was got and what is allowed, never an address of a miner
 */
export function requireMiners(miners: readonly Miner[]): readonly Miner[] {
  if (miners.length === 0)
    throw new RangeError('A run needs at least one miner, got none; give the list of miners.');
  for (const name of ['uid', 'hotkey'] as const) {
    const seen = new Set<string | number>();
    for (const miner of miners) {
      if (seen.has(miner[name])) {
        throw new RangeError(`Two miners have the ${name} ${miner[name]}; each ${name} may take part once.`);
      }
      seen.add(miner[name]);
    }
  }
  const slot = miners.find(({ uid }) => !Number.isInteger(uid) || uid < 0 || uid > 255);
  if (slot === undefined) return miners;
  throw new RangeError(`A miner has the uid ${slot.uid}; allowed are the slots 0 to 255.`);
}
