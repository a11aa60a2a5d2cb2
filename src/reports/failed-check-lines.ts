import type { FailedCheck } from './explanation.ts';

/** As many bad fields are named; of more the number says enough. */
const MOST_NAMES = 6;

/** The failed checks as text, one line a lead: `era5 24 h: 2 of 69 fields failed: coverage (2t, z500)`. */
export function failedCheckLines(failedChecks: readonly FailedCheck[]): string[] {
  const leads = new Map<string, FailedCheck[]>();
  for (const check of failedChecks) {
    const lead = `${check.score_type} ${check.lead_hours} h`;
    leads.set(lead, [...(leads.get(lead) ?? []), check]);
  }
  return [...leads].map(([lead, checks]) => `  ${lead}: ${describeLead(checks)}`);
}

function describeLead(checks: readonly FailedCheck[]): string {
  const failed = checks.reduce((sum, { fields }) => sum + fields.length, 0);
  const lookedAt = checks[0]?.looked_at ?? failed;
  const isNamed = failed <= MOST_NAMES && failed < lookedAt;
  const texts = checks.map(({ failed_check: check, fields }) => {
    if (isNamed) return `${check} (${fields.join(', ')})`;
    return checks.length === 1 ? check : `${check} ${fields.length}`;
  });
  return `${failed} of ${lookedAt} fields failed: ${texts.join(', ')}`;
}
