import type { Day1Score } from '#scoring';
import { CategorizedError } from '#semconv';
import { step, type StepDefinition } from '#steps';
import { openFrozenForecast } from '../leads/forecast-access.ts';
import { commitLead } from '../leads/lead-commits.ts';
import { newLeadFindings, type LeadFindings } from '../leads/lead-findings.ts';
import { leadOutcome, type LeadResult, type Scored } from '../leads/lead-outcomes.ts';
import { absentComponents } from '../scores/component-score.ts';
import {
  DAY1_FIELDS,
  fieldKey,
  hasField,
  requireSomePresent,
  splitByPresence,
} from '../scores/field-plan.ts';
import { openIfPresent, type OpenedStore } from '../scores/fields-at.ts';
import { scoreDay1Lead, type Day1Result } from '../scores/score-day1.ts';
import { describeInputs } from '../scores/score-inputs.ts';
import { commitStep } from '../step/commit-step.ts';
import { attemptIdentity, leadIdentity } from '../step/step-identity.ts';
import type { LeadJob } from '../step/step-job.ts';
import { withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, WaitingForTruth } from '../step/step-result.ts';
import { truthDueTime, validTimeOf } from '../leads/truth-times.ts';
import { findTruth, waitOnTruthOutage } from '../leads/await-truth.ts';

/** Scoring the first hours against the GFS analysis. */
export const day1Definition: StepDefinition<[LeadJob], Promise<LeadResult>> = {
  name: 'day1',
  substep: 'score',
  profile: true,
  identity: (job) => ({ ...leadIdentity(job), ...attemptIdentity('day1', job.lead, job) }),
  attributes: () => ({
    'weather.stage': 'day1_scoring',
    'weather.stage.status': 'scoring',
    'weather.forecast.status': 'day1_scoring',
  }),
  outcome: (result, job) =>
    leadOutcome(result, job, {
      scoreType: 'day1',
      stage: 'day1_scoring',
      scoreAttribute: 'weather.score.initial',
      scored: () => ({
        stage: 'day1_scored',
        stageStatus: 'completed',
        attributes: { 'weather.forecast.status': 'day1_scored' },
      }),
    }),
};

/** Scores day one. The ERA5 leads are released after it, whether or not it has a score. */
export const scoreDay1 = step(day1Definition, async (job: LeadJob): Promise<LeadResult> => {
  const { parts, delivery, lead } = job;
  const findings = newLeadFindings();
  const underway = { parts, delivery, step: 'day1', attempt: lead.attempt } as const;
  const dueTime = dueTimeOf(job);
  const result = await withRetryPolicy(underway, () =>
    waitOnTruthOutage(job, dueTime, () => scoreWhenDue(job, dueTime, findings)),
  );
  return commitStep<LeadResult>(job, { ...result, findings }, (client) =>
    commitLead(client, job, { end: result, findings }),
  );
});

/** The analysis is published soon after its valid time; ERA5, its fallback, only days later. */
const dueTimeOf = ({ parts, run, lead }: LeadJob): Date =>
  parts.stores.analysis === null
    ? truthDueTime(run.initTime, lead.leadHours)
    : validTimeOf(run.initTime, lead.leadHours);

async function scoreWhenDue(
  job: LeadJob,
  dueTime: Date,
  findings: LeadFindings,
): Promise<Scored | Failed | WaitingForTruth> {
  const { stores } = job.parts;
  const handle = stores.analysis ?? stores.truth;
  const found = await findTruth(job, handle, dueTime);
  if (found.kind === 'waiting_for_truth') return found;
  findings.notes = { truth: handle.name };
  return toResult(await score(job, { name: handle.name, store: found.store }, findings));
}

/** Reads and scores the fields of day one; `findings` collects which fields were present and which were missing. */
async function score(job: LeadJob, truth: OpenedStore, findings: LeadFindings): Promise<Day1Result> {
  const { parts, run, lead } = job;
  const forecast = await openFrozenForecast(job);
  findings.forecast = forecast;
  const expected = DAY1_FIELDS.filter((field) => hasField(truth.store, field));
  const { present, missing } = splitByPresence(forecast.store, expected);
  findings.missing = missing.map(fieldKey);
  findings.unavailable = DAY1_FIELDS.filter((field) => !expected.includes(field)).map(fieldKey);
  findings.components = absentComponents(forecast.store, { present, missing });
  requireSomePresent({ present, missing });
  const { analysis, reference, climatology, fields } = parts.stores;
  const sources = {
    forecast: forecast.store,
    truth,
    reference: await openIfPresent(reference),
    climatology: await openIfPresent(climatology),
    validTime: validTimeOf(run.initTime, lead.leadHours),
    fields,
    use: findings.cache,
  };
  const scored = await scoreDay1Lead(sources, { present, missing });
  findings.components = scored.components;
  const truthRole = analysis === null ? 'truth' : 'analysis';
  findings.inputs = await describeInputs(sources, { truthRole, components: scored.components });
  findings.notes = { ...findings.notes, unit_fixes: scored.unitFixes, ...outcomeNotes(scored.outcome) };
  return scored;
}

/** The outcome as context: its score with its reservations, or why there is none. */
const outcomeNotes = (outcome: Day1Score): Record<string, unknown> =>
  outcome.kind === 'scored'
    ? { kind: outcome.kind, score: outcome.score, clamped: outcome.clamped, qc_passed: outcome.qcPassed }
    : { kind: outcome.kind, reason: outcome.reason };

/** Day one fails when every field was missing or rejected: no score is not a score of 0. */
function toResult({ outcome, components }: Day1Result): Scored | Failed {
  const rejected = components.every(({ scores }) => scores === null);
  if (outcome.kind === 'scored' && !rejected) return { kind: 'scored', score: outcome.score };
  const reasons = components.flatMap(({ reason }) => (reason === null ? [] : [reason]));
  const message = `Day one has no score: ${reasons[0] ?? 'no metric is finite'}`;
  return { kind: 'failed', error: new CategorizedError('data_coverage', message) };
}
