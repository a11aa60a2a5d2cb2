import type { Measure } from './measure.ts';

/** What a checkout is held to, as `limits.json` stores it. */
export interface Limits {
  /** Counts that may only fall: the value of the last update. */
  readonly ratchet: Readonly<Record<string, number>>;
  /** Figures that are free within a range: the budget of the house style. An empty range only shows the figure. */
  readonly budget: Readonly<Record<string, Range>>;
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Whether a figure is within what is allowed; `improved` may be stored as the new limit. */
export type Verdict = 'kept' | 'improved' | 'worse' | 'unlimited';

/** Compares a figure with its limit. A figure without one is `unlimited`, which fails until it is stored. */
export function judge({ key, value }: Measure, { ratchet, budget }: Limits): Verdict {
  const limit = ratchet[key];
  if (limit !== undefined) return value > limit ? 'worse' : value < limit ? 'improved' : 'kept';
  const range = budget[key];
  if (range === undefined) return 'unlimited';
  const { min = -Infinity, max = Infinity } = range;
  return value < min || value > max ? 'worse' : 'kept';
}

/** The allowed values in words, for the table and for messages. */
export function describeLimit(key: string, { ratchet, budget }: Limits): string {
  const limit = ratchet[key];
  if (limit !== undefined) return `${limit}`;
  const { min, max } = budget[key] ?? {};
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  return min === undefined ? (max === undefined ? '–' : `${max}`) : `at least ${min}`;
}

/** The limits with every improved figure lowered, and new figures as they are; budgets stay. */
export function tighten(measures: readonly Measure[], limits: Limits): Limits {
  const ratchet = { ...limits.ratchet };
  for (const each of measures)
    if (['improved', 'unlimited'].includes(judge(each, limits))) ratchet[each.key] = each.value;
  return { ...limits, ratchet };
}
