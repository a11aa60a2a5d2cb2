import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scoreByConvention, type Convention, type ConventionScores } from '#scoring/conventions';

type Numbers = readonly (number | null)[];
type Expected = Readonly<Record<string, number | null>>;

/** Small fields, with the scores of each convention as numpy computed them (convention_scores.py beside the servers' tests). */
interface ConventionCase {
  readonly name: string;
  readonly isOnLevels: boolean;
  readonly latitudes: readonly number[];
  readonly forecast: Numbers;
  readonly truth: Numbers;
  readonly reference: Numbers;
  readonly climatology: Numbers;
  readonly expected: Readonly<Record<Convention, Expected>>;
}

export const CONVENTION_CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'conventions.json'), 'utf8'),
) as readonly ConventionCase[];

const toField = (values: Numbers): Float64Array => Float64Array.from(values, (value) => value ?? Number.NaN);

export const scoresOf = (one: ConventionCase, convention: Convention): ConventionScores =>
  scoreByConvention(convention, {
    forecast: toField(one.forecast),
    truth: toField(one.truth),
    reference: toField(one.reference),
    climatology: toField(one.climatology),
    latitudes: one.latitudes,
    isOnLevels: one.isOnLevels,
  });

/** The scores that differ from expected ones by more than 1e-9, relative to a number above 1; all of them where none is expected. */
export function differingScores(
  one: ConventionCase,
  convention: Convention,
  expected: Expected = {},
): string[] {
  const got: Readonly<Record<string, unknown>> = { ...scoresOf(one, convention) };
  const names = Object.keys(one.expected[convention]);
  return names.filter((name) => !isSame(got[name], expected[name])).map((name) => `${convention} ${name}`);
}

function isSame(got: unknown, expected: number | null | undefined): boolean {
  if (typeof got !== 'number' || typeof expected !== 'number') return got === expected;
  return Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}
