import { runOfMiners } from '../miner-run.ts';
import type { Scale, Suite } from '../harness/suite.ts';
import { hiddenSecretsComparison } from './data-structures/hidden-secrets.ts';
import { keyDictionaryComparisons } from './data-structures/key-dictionary.ts';
import { openStepsComparison } from './data-structures/open-steps.ts';
import { rowSumsComparison } from './data-structures/row-sums.ts';

const SCALES = {
  quick: { stepDegrees: 2, repeats: 3, steps: 2048, miners: 8 },
  full: { stepDegrees: 0.25, repeats: 10, steps: 204_800, miners: 200 },
} as const;
/** As many as the suite `steps` has in flight, and as a process with many miners has. */
const OPEN = [64, 1024] as const;
const WARM_UPS = 3;

/**
 * Hand-written data structures, each beside its plain rival on the same input: what it gains is why it is kept. CPU time
 * and not wall time, garbage collection included.
 */
export async function openDataStructures(scale: Scale): Promise<Suite> {
  const { stepDegrees, repeats, steps, miners } = SCALES[scale];
  const batch = runOfMiners(1, miners);
  const comparisons = [
    rowSumsComparison(stepDegrees, repeats),
    ...OPEN.map((open) => openStepsComparison(open, steps)),
    ...keyDictionaryComparisons(batch, repeats),
    hiddenSecretsComparison(batch, repeats),
  ];
  for (const { sides } of comparisons)
    for (let round = 0; round < WARM_UPS; round++)
      for (const measure of Object.values(sides)) await measure();
  return { comparisons, close: () => Promise.resolve() };
}
