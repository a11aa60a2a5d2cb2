import type { ScoreType } from '#semconv';
import type { StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome, waitingOutcome } from '../step/common-outcomes.ts';
import { exchangeAfter, leadAttributes, leadContext, type LeadFindings } from './lead-findings.ts';
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

/** The names by which the scoring of a lead is recorded, for day one or ERA5. */
export interface LeadVocabulary {
  readonly scoreType: ScoreType;
  /** The stage that an unfinished or failed scoring is in. */
  readonly stage: string;
  /** What a score adds. */
  readonly scored: (score: number, findings: LeadFindings) => Partial<StepOutcome>;
  /** The attribute that holds the score. */
  readonly scoreAttribute: 'weather.score.initial' | 'weather.score.era5';
}

/** The outcome of the scoring of a lead. */
export function leadOutcome(result: LeadResult, job: LeadJob, words: LeadVocabulary): StepOutcome {
  if (result.kind === 'superseded') return supersededOutcome(result);
  const { findings } = result;
  const context = findings && leadContext(findings);
  const attributes = findings && leadAttributes(findings);
  const details = { stage: words.stage, ...(context && { context }), ...(attributes && { attributes }) };
  switch (result.kind) {
    case 'scored':
      return scoredOutcome({ ...result, findings }, job, { words, details });
    case 'waiting_for_truth':
      return waitingOutcome(result, details);
    case 'retry':
      return retryOutcome(result, details);
    case 'failed':
      return failedOutcome(result, {
        ...details,
        attributes: {
          ...attributes,
          'weather.score.reason': toFailure(result.error).message,
          'weather.response.status': exchangeAfter(result.error),
        },
      });
  }
}

function scoredOutcome(
  { score, findings }: { readonly score: number; readonly findings: LeadFindings | undefined },
  { run, lead }: LeadJob,
  { words, details }: { readonly words: LeadVocabulary; readonly details: Partial<StepOutcome> },
): StepOutcome {
  const { scoreType, scoreAttribute, scored } = words;
  const instant = { scoreType, validTime: validTimeOf(run.initTime, lead.leadHours) };
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
    events: (findings?.components ?? []).map((component) => toComponentEvent(component, instant)),
  };
}

/** Why a score rests on less than it should; null when it does not. */
function reasonFor({ missing, unavailable }: LeadFindings): string | null {
  const parts = [
    ...(missing.length > 0 ? [`the forecast lacks ${missing.join(', ')}`] : []),
    ...(unavailable.length > 0 ? [`there is no truth for ${unavailable.join(', ')}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}
