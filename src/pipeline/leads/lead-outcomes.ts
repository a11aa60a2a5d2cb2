import type { ScoreType } from '#semconv';
import type { StepEvent, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome, waitingOutcome } from '../step/common-outcomes.ts';
import { responseStatusAfter, leadAttributes, leadContext, type LeadFindings } from './lead-findings.ts';
import { toComponentEvent } from '../scores/component-score.ts';
import type { LeadJob } from '../step/step-job.ts';
import { toFailure } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded, WaitingForTruth } from '../step/step-result.ts';
import { validTimeOf } from './truth-times.ts';

/** The lead has a score. */
export interface Scored {
  readonly kind: 'scored';
  /** 0 to 1. 0 is a score. */
  readonly score: number;
}
export type LeadResult = (Scored | WaitingForTruth | Retry | Failed | Superseded) & {
  readonly findings?: LeadFindings;
};

/** The stage and attributes in which the outcomes of day one and ERA5 differ. */
export interface LeadFields {
  readonly scoreType: ScoreType;
  /** The stage of a retry, a wait or a failure. */
  readonly stage: string;
  /** The outcome fields that a score adds. */
  readonly scored: (score: number, findings: LeadFindings) => Partial<StepOutcome>;
  /** The attribute that holds the score. */
  readonly scoreAttribute: 'weather.score.initial' | 'weather.score.era5';
}

/** The outcome of scoring a lead; once it has a score or has failed for good, with one event per field. */
export function leadOutcome(result: LeadResult, job: LeadJob, fields: LeadFields): StepOutcome {
  if (result.kind === 'superseded') return supersededOutcome(result);
  const { findings } = result;
  const context = findings && leadContext(findings);
  const attributes = findings && leadAttributes(findings);
  const details = { stage: fields.stage, ...(context && { context }), ...(attributes && { attributes }) };
  switch (result.kind) {
    case 'scored':
      return scoredOutcome({ ...result, findings }, job, { fields: fields, details });
    case 'waiting_for_truth':
      return waitingOutcome(result, details);
    case 'retry':
      return retryOutcome(result, details);
    case 'failed':
      return failedOutcome(result, {
        ...details,
        events: componentEvents(findings, job, fields),
        attributes: {
          ...attributes,
          'weather.score.reason': toFailure(result.error).message,
          'weather.response.status': responseStatusAfter(result.error),
        },
      });
  }
}

function scoredOutcome(
  { score, findings }: { readonly score: number; readonly findings: LeadFindings | undefined },
  job: LeadJob,
  { fields: fields, details }: { readonly fields: LeadFields; readonly details: Partial<StepOutcome> },
): StepOutcome {
  const { scoreAttribute, scored } = fields;
  const added = findings === undefined ? {} : scored(score, findings);
  return {
    ...details,
    ...added,
    status: 'succeeded',
    attributes: {
      ...details.attributes,
      ...added.attributes,
      [scoreAttribute]: score,
      'weather.score.reason': findings === undefined ? null : reasonFor(findings),
    },
    events: componentEvents(findings, job, fields),
  };
}

/**
 * One event per field that was looked at. Attempts that are tried again have none: a lead that was not looked at to its
 * end says nothing about its fields.
 */
function componentEvents(
  findings: LeadFindings | undefined,
  { run, lead }: LeadJob,
  { scoreType }: LeadFields,
): readonly StepEvent[] {
  const instant = { scoreType, validTime: validTimeOf(run.initTime, lead.leadHours) };
  return (findings?.components ?? []).map((component) => toComponentEvent(component, instant));
}

/** Why a score rests on fewer fields than expected; null when it rests on all. */
function reasonFor({ missing, unavailable }: LeadFindings): string | null {
  const parts = [
    ...(missing.length > 0 ? [`the forecast lacks ${missing.join(', ')}`] : []),
    ...(unavailable.length > 0 ? [`there is no truth for ${unavailable.join(', ')}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}
