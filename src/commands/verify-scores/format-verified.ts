import type { ChangedInput, VerifiedLead } from './compare-scores.ts';

/** Lines of one lead that are shown; all are in the JSON document. */
const MOST_LINES = 10;
const SHORT_DIGEST = 12;

/** What became of each lead, for people. */
export const formatVerified = (leads: readonly VerifiedLead[]): string =>
  leads.flatMap((lead) => [headOf(lead), ...detailsOf(lead)]).join('\n');

const number = (value: number | null): string => (value === null ? 'none' : value.toPrecision(6));
const short = (digest: string | null): string =>
  digest === null ? 'nothing' : `${digest.slice(0, SHORT_DIGEST)}…`;

const PHRASES: Readonly<Record<VerifiedLead['verdict'], (lead: VerifiedLead) => string>> = {
  equal: ({ score, fields }) => `equal: score ${number(score)}, ${fields} fields`,
  input_changed: ({ score, score_now: now, changed_inputs: changed, differences }) =>
    `${changed.length} ${changed.length === 1 ? 'field is' : 'fields are'} not what was scored; ` +
    (differences.length === 0 && score === now
      ? 'the scores are the same'
      : `the score was ${number(score)} and would be ${number(now)}`),
  other_version: ({ score, score_now: now }) =>
    `the same fields give other scores by other rules: ${number(score)} was recorded, ${number(now)} now`,
  score_differs: ({ score, score_now: now }) =>
    `WRONG: the same fields and rules give ${number(now)}, and ${number(score)} was recorded`,
  unproved: ({ score, score_now: now }) =>
    `no digests were recorded, so nothing proves what was scored: ${number(score)} was recorded, ${number(now)} now`,
  unreadable: ({ reason }) => `cannot be verified: ${reason ?? ''}`,
};

function headOf(lead: VerifiedLead): string {
  const { score_type: type, lead_hours: hours, verdict } = lead;
  return `${type} ${hours} h: ${PHRASES[verdict](lead)}.${versionNote(lead)}`;
}

/** A comparison between rules is none of the data alone. */
function versionNote({ verdict, scorer_version: recorded, scorer_version_now: now }: VerifiedLead): string {
  if (verdict === 'unreadable' || recorded === now) return '';
  return ` The comparison is between versions of the scorer: ${recorded ?? 'none'} when recorded, ${now} now.`;
}

function detailsOf({
  changed_inputs: changed,
  changed_expver: versions,
  differences,
}: VerifiedLead): string[] {
  const lines = [
    ...versions.map(
      ({ role, before, now }) => `${role}: expver ${before ?? 'none'} when scored, ${now ?? 'none'} now`,
    ),
    ...changed.map(changeLine),
    ...differences.map(
      ({ field, metric, recorded, now }) =>
        `${field} ${metric}: ${number(recorded)} recorded, ${number(now)} now`,
    ),
  ];
  const left = lines.length - MOST_LINES;
  const shown = left > 0 ? [...lines.slice(0, MOST_LINES), `… and ${left} more; --json has all`] : lines;
  return shown.map((line) => `  ${line}`);
}

const changeLine = ({ role, address, field, digest_before: before, digest_now: now }: ChangedInput): string =>
  `${role}${address === null ? '' : ` ${address}`}, ${field}: ${short(before)} when scored, ${short(now)} now`;
