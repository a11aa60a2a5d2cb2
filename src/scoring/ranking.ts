/**
 * Competition ranks (1, 1, 3) by falling score (domain 5.3): one more than the number of higher scores, so that equal
 * scores share a rank.
 *
 * @returns one rank per score, in the order given; null for a score that is null or not finite, which takes no place
 */
export function competitionRanks(scores: readonly (number | null)[]): (number | null)[] {
  const rankOf = new Map<number, number>();
  scores
    .filter((score) => score !== null)
    .filter(Number.isFinite)
    .sort((a, b) => b - a)
    .forEach((score, index) => {
      if (!rankOf.has(score)) rankOf.set(score, index + 1);
    });
  return scores.map((score) => (score === null ? null : (rankOf.get(score) ?? null)));
}
