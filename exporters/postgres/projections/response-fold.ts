import type { EpochMicros, StepFact } from '#facts/step-fact';
import { OPEN_RESPONSE_STATUSES, type ResponseStatus } from '#semconv';
import {
  draftOf,
  emptyFold,
  logicalTimestampOf,
  setLww,
  setFirst,
  startOf,
  type Fold,
} from './lww-register.ts';
import { noEffect, type RunEffect } from './run-effect.ts';

/** Fields of the exchange with one miner in one run that the newest write wins. */
export interface ResponseValues {
  uid: number;
  jobId: string;
  storePath: string;
  manifestHeader: unknown;
  hashClaimed: string;
  hashComputed: string;
  verificationPassed: boolean;
  manifestFrozenAt: EpochMicros;
  status: ResponseStatus;
  error: string | null;
  answered: true;
  polled: true;
  retry: { readonly count: number; readonly nextTime: EpochMicros | null };
  inferenceStartedAt: EpochMicros;
  inferenceCompletedAt: EpochMicros;
  day1Scored: true;
  forecastEnded: true;
  updated: true;
}

export interface ResponseOrigins {
  trace: string;
  jobAcceptedAt: EpochMicros;
}

export type ResponseFold = Fold<ResponseValues, ResponseOrigins>;

export const emptyResponseFold: ResponseFold = emptyFold;

const EXCHANGE_STEPS = ['query', 'poll', 'verify'];

/** Adds facts of a miner. */
export function foldResponse(fold: ResponseFold, facts: readonly StepFact[]): ResponseFold {
  const draft = draftOf(fold);
  for (const fact of facts) {
    const isRealEnd = fact.phase === 'ended' && fact.closing === null;
    const at = logicalTimestampOf(fact);
    setFirst<ResponseOrigins>(draft, startOf(fact), { trace: fact.traceId });
    setLww<ResponseValues>(draft, at, exchangeValues(fact));
    // Ends only: a lost start must not change the row.
    if (!isRealEnd) continue;
    setLww<ResponseValues>(draft, at, endValues(fact));
    setFirst<ResponseOrigins>(draft, at, { jobAcceptedAt: fact.state.jobAcceptedAt });
  }
  return draft;
}

function exchangeValues({ state, minerUid }: StepFact) {
  return {
    uid: minerUid ?? undefined,
    jobId: state.minerJobId,
    storePath: state.storePath,
    manifestHeader: state.manifestHeader,
    hashClaimed: state.manifestHashClaimed,
    hashComputed: state.manifestHashComputed,
    verificationPassed: state.verificationPassed,
    manifestFrozenAt: state.manifestFrozenAt,
    status: state.responseStatus,
    inferenceStartedAt: state.inferenceStartedAt,
    inferenceCompletedAt: state.inferenceCompletedAt,
    updated: true as const,
  };
}

function endValues(fact: StepFact) {
  const { stepName, substepGroup, status, state, error } = fact;
  const exchange = EXCHANGE_STEPS.includes(stepName);
  const answered =
    stepName === 'communication' && substepGroup === 'initiate_fetch' && state.transport === 'success';
  const forecastEnded = state.forecastStatus === 'completed' || state.forecastStatus === 'failed';
  return {
    error: exchange ? (error?.message ?? null) : undefined,
    answered: answered ? (true as const) : undefined,
    polled: stepName === 'poll' ? (true as const) : undefined,
    retry: exchange ? { count: fact.attempt - 1, nextTime: fact.nextRetryTime } : undefined,
    day1Scored: stepName === 'day1' && status === 'succeeded' ? (true as const) : undefined,
    forecastEnded: forecastEnded && stepName === 'aggregate' ? (true as const) : undefined,
  };
}

/** The columns of `weather_miner_responses` that follow from its fold. */
export interface ResponseRow {
  readonly minerUid: number | null;
  readonly responseTime: EpochMicros | null;
  readonly jobId: string | null;
  readonly storePath: string | null;
  readonly manifestHeader: unknown;
  readonly hashComputed: string | null;
  readonly hashClaimed: string | null;
  readonly verificationPassed: boolean | null;
  readonly manifestFrozenAt: EpochMicros | null;
  readonly status: ResponseStatus | null;
  readonly errorMessage: string | null;
  readonly retryCount: number;
  readonly nextRetryTime: EpochMicros | null;
  readonly lastPolledTime: EpochMicros | null;
  readonly inferenceStartedAt: EpochMicros | null;
  readonly jobAcceptedAt: EpochMicros | null;
  readonly inferenceCompletedAt: EpochMicros | null;
  readonly day1ScoringCompletedAt: EpochMicros | null;
  readonly era5ScoringCompletedAt: EpochMicros | null;
  readonly totalDurationSeconds: number | null;
  readonly traceId: string | null;
  readonly updatedAt: EpochMicros;
}

/** Derives the row of an exchange from its fold; the end of its run ends an exchange that is still open. */
export function toResponseRow({ newest, oldest }: ResponseFold, run: RunEffect = noEffect): ResponseRow {
  const value = <Name extends keyof ResponseValues>(name: Name): ResponseValues[Name] | null =>
    newest[name]?.value ?? null;
  const timeOf = (name: keyof ResponseValues): EpochMicros | null => newest[name]?.at[0] ?? null;
  const accepted = oldest.jobAcceptedAt?.value ?? null;
  const ended = timeOf('forecastEnded');
  const isClosed = run.end !== null && isOpen(value('status'));
  return {
    minerUid: value('uid'),
    responseTime: timeOf('answered'),
    jobId: value('jobId'),
    storePath: value('storePath'),
    manifestHeader: value('manifestHeader'),
    hashComputed: value('hashComputed'),
    hashClaimed: value('hashClaimed'),
    verificationPassed: value('verificationPassed'),
    manifestFrozenAt: value('manifestFrozenAt'),
    status: isClosed ? 'failed' : value('status'),
    errorMessage: isClosed ? run.end.message : value('error'),
    retryCount: newest.retry?.value.count ?? 0,
    nextRetryTime: run.end === null && ended === null ? (newest.retry?.value.nextTime ?? null) : null,
    lastPolledTime: timeOf('polled'),
    inferenceStartedAt: value('inferenceStartedAt'),
    jobAcceptedAt: accepted,
    inferenceCompletedAt: value('inferenceCompletedAt'),
    day1ScoringCompletedAt: timeOf('day1Scored'),
    era5ScoringCompletedAt: ended,
    totalDurationSeconds: ended === null || accepted === null ? null : (ended - accepted) / 1e6,
    traceId: oldest.trace?.value ?? null,
    updatedAt: Math.max(newest.updated?.at[0] ?? 0, run.end?.at[0] ?? 0),
  };
}

/** Whether something is still to come of an exchange; also of one whose status nobody reported. */
const isOpen = (status: ResponseStatus | null): boolean =>
  status === null || (OPEN_RESPONSE_STATUSES as readonly ResponseStatus[]).includes(status);
