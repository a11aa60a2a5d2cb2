import type { ErrorCategory, ResponseStatus } from '#semconv';
import { TRANSPORT_OF } from '#semconv/transport-outcome';
import { classifyError, type StepAttributes } from '#steps';
import type { OpenedForecast } from '../scores/forecast-opener.ts';
import { newCacheUse, type CacheUse } from '../scores/field-cache.ts';
import type { ComponentScore } from '../scores/component-score.ts';
import { SCORER_VERSION, type ScoreInput } from '../scores/score-inputs.ts';

/** What scoring a lead has found so far. It is mutable, so that a failed step reports what it found before the failure. */
export interface LeadFindings {
  readonly cache: CacheUse;
  forecast?: OpenedForecast;
  /** Of every field that was looked at, those that failed a check and those that the forecast lacks included. */
  components: readonly ComponentScore[];
  /** The stores that a scoring that came to its end has read. */
  inputs?: readonly ScoreInput[];
  /** Variables, with level, that were expected and that the forecast lacks. */
  missing: readonly string[];
  /** Variables that the validator's own stores lack, so that no forecast can be scored on them. */
  unavailable: readonly string[];
  /** Further context of the step. */
  notes: Record<string, unknown>;
  /** Leads of the forecast that are still to be scored after this one. */
  remainingLeads?: number;
}

export const newLeadFindings = (): LeadFindings => ({
  cache: newCacheUse(),
  components: [],
  missing: [],
  unavailable: [],
  notes: {},
});

/** The findings as the context of a step. */
export function leadContext(findings: LeadFindings): Record<string, unknown> {
  const { cache, forecast, components, notes, remainingLeads } = findings;
  const missing = [...findings.missing, ...findings.unavailable];
  const read = forecast?.stats();
  const failed = components.filter(({ failedCheck }) => failedCheck !== null).length;
  return {
    ...notes,
    cache_hits: cache.hits,
    cache_misses: cache.misses,
    ...(read && { bytes: read.bytes, requests: read.requests, verified_files: read.verifiedFiles }),
    ...(components.length > 0 && { fields: components.filter(({ scores }) => scores !== null).length }),
    ...(failed > 0 && { failed_fields: failed }),
    ...(missing.length > 0 && { missing_variables: missing }),
    ...(remainingLeads !== undefined && { remaining_leads: remainingLeads }),
  };
}

/** The findings that have an attribute. */
export const leadAttributes = ({ forecast, cache, inputs }: LeadFindings): StepAttributes => ({
  'weather.profile.bytes_read': (forecast?.stats().bytes ?? 0) + cache.bytes,
  ...(inputs && {
    'weather.score.inputs': JSON.stringify(inputs),
    'weather.score.scorer_version': SCORER_VERSION,
  }),
});

/** The response status of the miner after a lead failed; undefined when the failure is not about the hosted files. */
export const responseStatusAfter = (error: unknown): ResponseStatus | undefined =>
  hostedStatusOf(classifyError(error));

/**
 * How an exchange ends whose forecast has no score against ERA5, by the failure of its first lead: the hosted files are
 * not what was frozen, the miner gave no access to them, or they could not be scored.
 */
export function responseStatusWithout(failure: ErrorCategory | null): ResponseStatus {
  if (failure === null) return 'era5_scoring_failed';
  const isOffline = TRANSPORT_OF[failure] === 'failure';
  return hostedStatusOf(failure) ?? (isOffline ? 'miner_offline' : 'era5_scoring_failed');
}

function hostedStatusOf(category: ErrorCategory): ResponseStatus | undefined {
  switch (category) {
    case 'verification_chunk':
    case 'verification_manifest':
    case 'verification_signature':
    case 'data_extreme':
    case 'data_missing_variable':
      return 'verification_failed';
    case 'verification_hash_changed':
      return 'verification_error';
    default:
      return undefined;
  }
}
