import type { ATTRIBUTES } from '../semconv/index.ts';
import { cleanJson, type Adjustments } from './clean-value.ts';
import { microsOfIso } from './instants.ts';
import type { AttributeValues } from './read-attributes.ts';
import type { EpochMicros, StateFact } from './step-fact.ts';

export type SpanAttributes = AttributeValues<typeof ATTRIBUTES>;

/** A fact whose absent members are left out, so that absent and undefined cannot differ. */
function withoutAbsent<T extends object>(fact: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fact).filter(([, value]) => value !== undefined)) as T;
}

export const instantOf = (iso: string | null | undefined): EpochMicros | undefined =>
  iso == null ? undefined : microsOfIso(iso);

/** The object that a JSON attribute holds; text that is no JSON is kept under `text`, and counted. */
export function jsonOf(text: string | null | undefined, adjustments: Adjustments): unknown {
  if (text == null) return undefined;
  try {
    return cleanJson(JSON.parse(text), adjustments);
  } catch {
    adjustments.add('invalid_json');
    return { text };
  }
}

/** What the attributes of a span say about the run, the forecast and the exchange with the miner. */
export function toStateFact(values: SpanAttributes, adjustments: Adjustments): StateFact {
  const present = <T>(value: T | null | undefined): T | undefined => value ?? undefined;
  return withoutAbsent<Required<StateFact>>({
    stage: present(values['weather.stage']),
    stageStatus: present(values['weather.stage.status']),
    forecastStatus: present(values['weather.forecast.status']),
    forecastType: present(values['weather.forecast.type']),
    inputSources: jsonOf(values['weather.forecast.input_sources'], adjustments),
    initTime: instantOf(values['weather.run.init_time']),
    targetTime: instantOf(values['weather.run.target_time']),
    initiationTime: instantOf(values['weather.run.initiation_time']),
    expectedLeads: present(values['weather.run.expected_leads']),
    runStatus: present(values['weather.run.status']),
    runErrorMessage: present(values['weather.run.error_message']),
    runInputMetadata: jsonOf(values['weather.run.input_metadata'], adjustments),
    minerJobId: present(values['weather.job.id']),
    jobAcceptedAt: instantOf(values['weather.job.accepted_time']),
    responseStatus: present(values['weather.response.status']),
    transport: present(values['weather.response.transport']),
    wireStatus: present(values['weather.response.wire_status']),
    hostingStatus: present(values['weather.hosting.status']),
    hostingLatencyMs: present(values['weather.hosting.latency_ms']),
    inferenceStartedAt: instantOf(values['weather.inference.started_time']),
    inferenceCompletedAt: instantOf(values['weather.inference.completed_time']),
    inferenceDurationSeconds: present(values['weather.inference.duration_seconds']),
    storePath: present(values['weather.forecast.store_path']),
    manifestHashClaimed: present(values['weather.manifest.hash_claimed']),
    manifestHashComputed: present(values['weather.manifest.hash_computed']),
    manifestHeader: jsonOf(values['weather.manifest.header'], adjustments),
    manifestFrozenAt: instantOf(values['weather.manifest.frozen_time']),
    verificationPassed: present(values['weather.verification.passed']),
    scoreInitial: values['weather.score.initial'],
    scoreEra5: values['weather.score.era5'],
    truthDueTime: instantOf(values['weather.truth.due_time']),
  });
}
