import { type ATTRIBUTES, scrubValue } from '#semconv';
import { cleanJson, type Adjustments } from './clean-value.ts';
import { microsOfIso } from './instants.ts';
import type { AttributeValues } from './read-attributes.ts';
import type { EpochMicros, StateFact } from './step-fact.ts';

export type SpanAttributes = AttributeValues<typeof ATTRIBUTES>;

export const instantOf = (iso: string | null | undefined): EpochMicros | undefined =>
  iso == null ? undefined : microsOfIso(iso);

/** Parses a JSON attribute; invalid JSON is stored under `text`, and counted. */
export function jsonOf(text: string | null | undefined, adjustments: Adjustments): unknown {
  if (text == null) return undefined;
  try {
    return cleanJson(JSON.parse(text), adjustments);
  } catch {
    adjustments.add('invalid_json');
    return { text };
  }
}

/** Attributes of the run, the forecast or the exchange, and the member of the fact that holds each. */
const PLAIN = {
  'weather.step.superseded': 'superseded',
  'weather.stage': 'stage',
  'weather.stage.status': 'stageStatus',
  'weather.forecast.status': 'forecastStatus',
  'weather.forecast.type': 'forecastType',
  'weather.run.expected_leads': 'expectedLeads',
  'weather.run.status': 'runStatus',
  'weather.run.error_message': 'runErrorMessage',
  'weather.run.error_type': 'runErrorType',
  'weather.job.id': 'minerJobId',
  'weather.response.status': 'responseStatus',
  'weather.response.transport': 'transport',
  'weather.response.wire_status': 'wireStatus',
  'weather.hosting.status': 'hostingStatus',
  'weather.hosting.latency_ms': 'hostingLatencyMs',
  'weather.inference.duration_seconds': 'inferenceDurationSeconds',
  'weather.forecast.store_path': 'storePath',
  'weather.manifest.hash_claimed': 'manifestHashClaimed',
  'weather.manifest.hash_computed': 'manifestHashComputed',
  'weather.verification.passed': 'verificationPassed',
  'weather.score.scorer_version': 'scorerVersion',
} as const satisfies Partial<Record<keyof SpanAttributes, keyof StateFact>>;
/** Instants that a sender tells, and the member of the fact that holds each. */
export const INSTANTS = {
  'weather.run.init_time': 'initTime',
  'weather.run.target_time': 'targetTime',
  'weather.run.initiation_time': 'initiationTime',
  'weather.job.accepted_time': 'jobAcceptedAt',
  'weather.inference.started_time': 'inferenceStartedAt',
  'weather.inference.completed_time': 'inferenceCompletedAt',
  'weather.manifest.frozen_time': 'manifestFrozenAt',
  'weather.truth.due_time': 'truthDueTime',
} as const satisfies Partial<Record<keyof SpanAttributes, keyof StateFact>>;
const JSON_TEXTS = {
  'weather.forecast.input_sources': 'inputSources',
  'weather.run.input_metadata': 'runInputMetadata',
  'weather.manifest.header': 'manifestHeader',
} as const satisfies Partial<Record<keyof SpanAttributes, keyof StateFact>>;
/** JSON that names places: a sender may have named them in full. */
const JSON_PLACES = {
  'weather.score.inputs': 'scoreInputs',
} as const satisfies Partial<Record<keyof SpanAttributes, keyof StateFact>>;
/** Null is a value of these: there is no such score. */
const SCORES = {
  'weather.score.initial': 'scoreInitial',
  'weather.score.era5': 'scoreEra5',
} as const satisfies Partial<Record<keyof SpanAttributes, keyof StateFact>>;

type Reader = (value: string | number | boolean | null, adjustments: Adjustments) => unknown;
interface ReadInto {
  readonly member: string;
  readonly read: Reader;
}

const into = (table: Readonly<Record<string, string>>, read: Reader): [string, ReadInto][] =>
  Object.entries(table).map(([attribute, member]) => [attribute, { member, read }]);

const READERS: readonly (readonly [attribute: string, readInto: ReadInto])[] = [
  ...into(PLAIN, (value) => value ?? undefined),
  ...into(INSTANTS, (value) => instantOf(value as string | null)),
  ...into(JSON_TEXTS, (value, adjustments) => jsonOf(value as string | null, adjustments)),
  ...into(JSON_PLACES, (value, adjustments) => scrubValue(jsonOf(value as string | null, adjustments))),
  ...into(SCORES, (value) => value),
];

/**
 * What the attributes of a span say about the run, the forecast and the exchange with the miner. What they do not say
 * is left out, so that absent and undefined cannot differ.
 */
export function toStateFact(values: SpanAttributes, adjustments: Adjustments): StateFact {
  const fact: Record<string, unknown> = {};
  for (const [attribute, { member, read }] of READERS) {
    const recorded = values[attribute as keyof SpanAttributes];
    if (recorded === undefined) continue;
    const value = read(recorded, adjustments);
    if (value !== undefined) fact[member] = value;
  }
  return fact;
}
