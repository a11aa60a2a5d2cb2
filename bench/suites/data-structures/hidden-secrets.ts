import { cpuMillis } from '#bench/harness/cpu-time';
import type { Comparison } from '#bench/harness/suite';
import type { ObservedSpan } from '#facts/observed-span';
import { SECRET_RULES } from '#semconv/secrets/secret-rules';
import { hideSecrets } from '#semconv/secret-values';

const RULES = Object.values(SECRET_RULES);

/** The rules alone, on every text: what the prefilter and the cache of clean texts spare. */
function hideByRules(value: unknown): void {
  if (typeof value === 'string') RULES.reduce((text, { hide }) => hide(text), value);
  else if (Array.isArray(value)) value.forEach(hideByRules);
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(hideByRules);
}

/** Hiding the secrets of the spans of a run, of which hardly one holds any: for each step, at its start or its end. */
export function hiddenSecretsComparison(batch: readonly ObservedSpan[], repeats: number): Comparison {
  const timed = (hide: (span: ObservedSpan) => void) => (): number =>
    (cpuMillis(() => {
      for (let repeat = 0; repeat < repeats; repeat++) batch.forEach(hide);
    }) *
      1000) /
    (repeats * batch.length);
  return {
    name: `secrets of ${batch.length} records of steps`,
    unit: 'µs of CPU',
    sides: { 'with prefilter': timed(hideSecrets), 'the rules alone': timed(hideByRules) },
    targets: [
      { what: 'added to a record', value: (by) => by['with prefilter'] ?? NaN, atMost: 3, unit: 'µs' },
    ],
  };
}
