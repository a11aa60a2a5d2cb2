import { describe, expect, it } from 'vitest';
import { ERROR_CATEGORIES, FAULT_OF, TRANSPORT_CATEGORIES } from '#semconv';
import { TRANSPORT_OF } from '#semconv/transport-outcome';

const categoriesOf = (outcome: string | null): readonly string[] =>
  ERROR_CATEGORIES.filter((category) => TRANSPORT_OF[category] === outcome);

describe('TRANSPORT_OF', () => {
  it('the categories of a transport failure are those that count at the call only', () => {
    expect(categoriesOf('failure').toSorted()).toEqual([...TRANSPORT_CATEGORIES].toSorted());
  });

  it('a category of the miner is a failure of transport or of content, and no other says anything of transport', () => {
    const silent = categoriesOf(null);
    expect(silent).toEqual([
      'truth_not_ready',
      'truth_missing',
      'out_of_memory',
      'lock_busy',
      'process_crash',
      'validator_internal',
      'unknown',
    ]);
    for (const category of ERROR_CATEGORIES)
      if (FAULT_OF[category] === 'miner') expect(silent).not.toContain(category);
  });
});
