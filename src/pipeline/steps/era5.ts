import { era5Stage, VARIABLES } from '#semconv';
import { step, type StepDefinition } from '#steps';
import { openFrozenForecast } from '../leads/forecast-access.ts';
import { commitLead } from '../leads/lead-commits.ts';
import { newLeadFindings, type LeadFindings } from '../leads/lead-findings.ts';
import { leadOutcome, type LeadResult, type Scored } from '../leads/lead-outcomes.ts';
import { absentComponents } from '../scores/component-score.ts';
import { fieldKey, sharedPlannedFields, requireSomePresent, splitByPresence } from '../scores/field-plan.ts';
import { openIfPresent, type OpenedStore } from '../scores/fields-at.ts';
import { requireLeadScore, scoreEra5Lead } from '../scores/score-era5-lead.ts';
import { describeInputs } from '../scores/score-inputs.ts';
import { commitStep } from '../step/commit-step.ts';
import { attemptIdentity, leadIdentity } from '../step/step-identity.ts';
import type { LeadJob } from '../step/step-job.ts';
import { withRetryPolicy } from '../step/step-policy.ts';
import type { WaitingForTruth } from '../step/step-result.ts';
import { truthDueTime, validTimeOf } from '../leads/truth-times.ts';
import { findTruth, waitOnTruthOutage } from '../leads/await-truth.ts';

/** Scoring one lead against ERA5. */
export const era5Definition: StepDefinition<[LeadJob], Promise<LeadResult>> = {
  name: 'era5',
  substep: 'score',
  profile: true,
  identity: (job) => ({ ...leadIdentity(job), ...attemptIdentity('era5', job.lead, job) }),
  outcome: (result, job) =>
    leadOutcome(result, job, {
      scoreType: 'era5',
      stage: era5Stage(job.lead.leadHours),
      scoreAttribute: 'weather.score.era5',
      scored: (_score, { remainingLeads }) => ({
        stageStatus: remainingLeads === 0 ? 'completed' : 'scoring',
        attributes: { 'weather.forecast.status': 'era5_scoring' },
      }),
    }),
};

/** Scores one lead once its truth is there. */
export const scoreEra5 = step(era5Definition, async (job: LeadJob): Promise<LeadResult> => {
  const { parts, delivery, run, lead } = job;
  const findings = newLeadFindings();
  const underway = { parts, delivery, step: 'era5', attempt: lead.attempt } as const;
  const dueTime = truthDueTime(run.initTime, lead.leadHours);
  const result = await withRetryPolicy(underway, () =>
    waitOnTruthOutage(job, dueTime, () => scoreWhenDue(job, dueTime, findings)),
  );
  return commitStep<LeadResult>(job, { ...result, findings }, (client) =>
    commitLead(client, job, { end: result, findings }),
  );
});

async function scoreWhenDue(
  job: LeadJob,
  dueTime: Date,
  findings: LeadFindings,
): Promise<Scored | WaitingForTruth> {
  const { truth, climatology } = job.parts.stores;
  const found = await findTruth(job, truth, dueTime);
  if (found.kind === 'waiting_for_truth') return found;
  const normal = await findTruth(job, climatology, dueTime);
  if (normal.kind === 'waiting_for_truth') return normal;
  const compared = {
    truth: { name: truth.name, store: found.store },
    climatology: { name: climatology.name, store: normal.store },
  };
  return score(job, compared, findings);
}

/** The stores that every forecast of the lead is compared with. */
interface Compared {
  readonly truth: OpenedStore;
  readonly climatology: OpenedStore;
}

/**
 * Reads and scores the fields that truth, climatology and forecast share. A field that the forecast lacks is reported
 * and does not lower the score.
 */
async function score(
  job: LeadJob,
  { truth, climatology }: Compared,
  findings: LeadFindings,
): Promise<Scored> {
  const { parts, run, lead } = job;
  const { stores } = parts;
  const forecast = await openFrozenForecast(job);
  findings.forecast = forecast;
  const expected = sharedPlannedFields(truth.store, climatology.store);
  const { present, missing } = splitByPresence(forecast.store, expected);
  findings.missing = missing.map(fieldKey);
  findings.unavailable = VARIABLES.filter((name) => !expected.some(({ variable }) => variable === name));
  const absent = absentComponents(forecast.store, { present, missing });
  findings.components = absent;
  requireSomePresent({ present, missing });
  const sources = {
    forecast: forecast.store,
    truth,
    climatology,
    reference: await openIfPresent(stores.reference),
    validTime: validTimeOf(run.initTime, lead.leadHours),
    fields: stores.fields,
    use: findings.cache,
  };
  const scored = await scoreEra5Lead(sources, present);
  findings.components = [...scored.components, ...absent];
  findings.inputs = await describeInputs(sources, { truthRole: 'truth', components: scored.components });
  return { kind: 'scored', score: requireLeadScore(scored) };
}
