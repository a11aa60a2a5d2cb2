import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { pollSubstep, type ErrorCategory, type StepName } from '#semconv';

/** 2026-11-23T18:00:00Z, nanoseconds. */
export const T = BigInt(Date.UTC(2026, 10, 23, 18)) * 1_000_000n;
export const INIT_TIME = '2026-11-23T00:00:00Z';

/** The parts of a span that a test or a benchmark sets; the rest has defaults. */
export interface SpanOptions {
  readonly step: StepName;
  readonly substep?: string;
  readonly run?: number;
  readonly validator?: string;
  /** Null for a step of the run as a whole. */
  readonly miner?: { readonly uid: number; readonly hotkey: string } | null;
  readonly lead?: number;
  readonly attempt?: number;
  readonly maxAttempts?: number;
  /** Milliseconds after `T`. */
  readonly at?: number;
  readonly durationMs?: number;
  readonly status?: string;
  readonly error?: { readonly type: ErrorCategory; readonly message: string };
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly events?: readonly ObservedEvent[];
  readonly spanId?: string;
  readonly traceId?: string;
  readonly instance?: string;
}

const SUBSTEP: Record<StepName, string> = {
  seed: 'seed_miner',
  query: 'initiate_fetch',
  poll: 'attempt_1',
  verify: 'manifest',
  day1: 'score',
  era5: 'score',
  communication: 'initiate_fetch',
  orchestration: 'decision',
  aggregate: 'miner_scores',
};

export const MINER = { uid: 7, hotkey: '5MinerSeven' };

/** Deterministic hexadecimal digits from a hash of the text. */
export function hexOf(text: string, digits: number): string {
  let hash = 0xcbf29ce484222325n;
  for (const character of text)
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0').repeat(2).slice(0, digits);
}

function attributesOf(options: SpanOptions): Record<string, unknown> {
  const { step, miner = MINER, attempt = 1 } = options;
  const substep = options.substep ?? (step === 'poll' ? pollSubstep(attempt) : SUBSTEP[step]);
  return {
    'weather.step.name': step,
    'weather.step.substep': substep,
    'weather.step.attempt': attempt,
    'weather.run.id': options.run ?? 1,
    'weather.run.init_time': INIT_TIME,
    'weather.run.expected_leads': 10,
    ...(options.maxAttempts === undefined ? {} : { 'weather.step.max_attempts': options.maxAttempts }),
    ...(options.lead === undefined ? {} : { 'weather.lead_hours': options.lead }),
    ...(miner === null ? {} : { 'weather.miner.uid': miner.uid, 'weather.miner.hotkey': miner.hotkey }),
  };
}

function exceptionOf(options: SpanOptions, timeUnixNano: bigint): ObservedEvent[] {
  if (!options.error) return [];
  const attributes = { 'exception.type': 'Error', 'exception.message': options.error.message };
  return [{ name: 'exception', timeUnixNano, attributes }];
}

/** An ended span. */
export function endedSpan(options: SpanOptions): ObservedSpan {
  const { at = 0, durationMs = 100, error, status = error ? 'failed' : 'succeeded' } = options;
  const identity = attributesOf(options);
  const startTimeUnixNano = T + BigInt(Math.round(at * 1e6));
  const endTimeUnixNano = startTimeUnixNano + BigInt(Math.round(durationMs * 1e6));
  const seed = JSON.stringify([identity, at, options.instance ?? '']);
  return {
    phase: 'ended',
    traceId: options.traceId ?? hexOf(`${options.run ?? 1}/${options.miner?.hotkey ?? ''}`, 32),
    spanId: options.spanId ?? hexOf(seed, 16),
    parentSpanId: null,
    name: `${options.step} test`,
    startTimeUnixNano,
    endTimeUnixNano,
    statusCode: error ? 'error' : 'unset',
    statusMessage: error?.message ?? null,
    attributes: {
      ...identity,
      'weather.step.status': status,
      ...(error ? { 'error.type': error.type } : {}),
      ...options.attributes,
    },
    events: [...(options.events ?? []), ...exceptionOf(options, endTimeUnixNano)],
    resource: {
      'weather.validator.hotkey': options.validator ?? '5Validator',
      'service.instance.id': options.instance ?? 'instance-1',
    },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
  };
}
