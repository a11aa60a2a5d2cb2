import type { FieldScoreInput, FieldScores } from '#scoring';

/** The scores that every side of the comparison computes. */
export const COMPARED_SCORES = [
  'rmse',
  'mae',
  'bias',
  'acc',
  'skillScoreReference',
  'skillScoreClimatology',
] as const satisfies readonly (keyof FieldScores)[];
export type ComparedScores = Readonly<Record<(typeof COMPARED_SCORES)[number], number>>;

export type ComparedFields = Required<FieldScoreInput>;

const TOLERANCE = 1e-6;

/** @throws Error for a side that computes other scores: its time would be meaningless */
export function requireSameScores(side: string, got: ComparedScores, expected: ComparedScores): void {
  for (const name of COMPARED_SCORES) {
    if (!(Math.abs(got[name] - expected[name]) <= TOLERANCE * Math.abs(expected[name])))
      throw new Error(`${side} finds ${name} ${got[name]} where the scores are ${expected[name]}.`);
  }
}

/** @throws Error where a score is null; the fields of the benchmarks are made so that none is */
export function knownScores(scores: Readonly<Record<keyof ComparedScores, number | null>>): ComparedScores {
  const known = COMPARED_SCORES.map((name) => {
    const score = scores[name];
    if (score === null) throw new Error(`The field has no ${name}.`);
    return [name, score] as const;
  });
  return Object.fromEntries(known) as ComparedScores;
}
