import {
  TERMINAL_FORECAST_STATUSES,
  TERMINAL_RUN_STATUSES,
  type ForecastStatus,
  type RunStatus,
  type StepStatus,
} from '#semconv';
import type { MissingScore } from './explanation.ts';

/** The missing scores as text, grouped: one line for all leads with the same reason. */
export function missingLines(missing: readonly MissingScore[]): string[] {
  const groups = new Map<string, MissingScore[]>();
  for (const score of missing) {
    const key = `${score.score_type}: ${describeMissing(score)}`;
    groups.set(key, [...(groups.get(key) ?? []), score]);
  }
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [`  ${first.score_type}${leadsOf([first, ...others])}: ${describeMissing(first)}`],
  );
}

function leadsOf(scores: readonly MissingScore[]): string {
  const leads = scores.flatMap(({ lead_hours: lead }) => (lead === null ? [] : [lead]));
  return leads.length === 0 ? '' : ` ${leads.sort((one, other) => one - other).join(', ')} h`;
}

/** Terminal statuses of steps, forecasts and runs. */
const ENDS: ReadonlySet<string> = new Set<StepStatus | ForecastStatus | RunStatus>([
  'succeeded',
  ...TERMINAL_FORECAST_STATUSES,
  ...TERMINAL_RUN_STATUSES,
]);

function describeMissing(score: MissingScore): string {
  const fault = score.fault === null ? '' : ` Fault: ${score.fault}.`;
  if (score.status === 'abandoned')
    return `${score.reason.replace(/\.$/, '')}.${fault} A worker does the step again.`;
  return `${score.reason.replace(/\.$/, '')}.${fault}${nextOf(score)}`;
}

function nextOf({ status, next_retry_time: next, retries_remaining: left }: MissingScore): string {
  if (next === null) return ENDS.has(status) ? ' No retry will come.' : ' It is still to come.';
  if (status === 'waiting_for_truth') return ` Looked for again at ${next}; no attempt is used.`;
  return ` Next try at ${next}, ${left ?? 'unknown'} retries left after it.`;
}
