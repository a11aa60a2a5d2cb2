import type { MissingScore } from './explanation.ts';

/** The missing scores in words: one line for all leads that are missing for the same reason. */
export function missingLines(missing: readonly MissingScore[]): string[] {
  const groups = new Map<string, MissingScore[]>();
  for (const score of missing) {
    const key = `${score.score_type}: ${wordsOf(score)}`;
    groups.set(key, [...(groups.get(key) ?? []), score]);
  }
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [`  ${first.score_type}${leadsOf([first, ...others])}: ${wordsOf(first)}`],
  );
}

function leadsOf(scores: readonly MissingScore[]): string {
  const leads = scores.flatMap(({ lead_hours: lead }) => (lead === null ? [] : [lead]));
  return leads.length === 0 ? '' : ` ${leads.sort((one, other) => one - other).join(', ')} h`;
}

function wordsOf(score: MissingScore): string {
  const fault = score.fault === null ? '' : ` Fault: ${score.fault}.`;
  if (score.status === 'abandoned')
    return `${score.reason.replace(/\.$/, '')}.${fault} A worker does the step again.`;
  const next =
    score.next_retry_time === null
      ? ' No retry will come.'
      : ` Next try at ${score.next_retry_time}, ${score.retries_remaining ?? 'unknown'} retries left after it.`;
  return `${score.reason.replace(/\.$/, '')}.${fault}${next}`;
}
