import type { AttributeName, AttributeValue, StageStatus, StepName, StepStatus } from '#semconv';

/**
 * The identity of a step: validator, run, miner, lead and attempt. Missing fields are inherited from the enclosing
 * step.
 */
export interface StepIdentity {
  readonly validatorHotkey?: string;
  readonly runId?: number;
  /** T0. */
  readonly initTime?: Date;
  readonly minerUid?: number;
  readonly minerHotkey?: string;
  readonly leadHours?: number;
  /** Counted from 1. */
  readonly attempt?: number;
  readonly maxAttempts?: number;
  readonly queueJobId?: number;
  readonly expectedLeads?: number;
  /** W3C traceparent of the parent span, when that ended earlier or in another process. */
  readonly traceparent?: string;
  /** W3C traceparents to link: the attempt before, the trace of the run. */
  readonly links?: readonly string[];
}

/** Values of the vocabulary that a step sets on its span. Null and undefined are left out. */
export type StepAttributes = { readonly [Name in AttributeName]?: AttributeValue<Name> | null | undefined };

/** A span event: one of `EVENTS`, with its attributes. Null and undefined are left out. */
export interface StepEvent {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean | null | undefined>>;
}

/** The outcome of a step, read from its result. */
export interface StepOutcome {
  readonly status: Exclude<StepStatus, 'in_progress' | 'abandoned'>;
  /** The stage that the forecast enters; one of the vocabulary. */
  readonly stage?: string;
  readonly stageStatus?: StageStatus;
  /** The error as a value: a rejection by the miner is no exception, and no success either. */
  readonly error?: unknown;
  /** When it is tried again; goes with `retry_scheduled` and `waiting_for_truth`. */
  readonly nextRetryTime?: Date;
  readonly attributes?: StepAttributes;
  readonly events?: readonly StepEvent[];
  /** What the step did: bytes, counts, cycles, cache hits, progress. Kept as JSON. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The span kind of a step; `client` for a call to another program. */
export type StepKind = 'internal' | 'client' | 'server' | 'producer' | 'consumer';

/** The argument of `outcome`: the awaited result, or the return value of a generator. */
export type FinalResult<Result> =
  Result extends Generator<unknown, infer Returned, never>
    ? Returned
    : Result extends AsyncGenerator<unknown, infer Returned, never>
      ? Awaited<Returned>
      : Awaited<Result>;

/** The final result, which the types of callbacks do not determine: the function alone does. */
type Settled<Result> = [Result] extends [infer Known] ? FinalResult<Known> : never;

/** The same arguments; callbacks with fewer parameters do not determine their types. */
type Known<Args extends unknown[]> = Args extends infer All extends unknown[] ? All : never;

/**
 * Describes a step once; `step(definition, fn)` and `@Step(definition)` make every call of `fn` a span.
 *
 * A declared `StepDefinition<Args, Result>` types the function; an inline one is typed by the function, so that its
 * callbacks may omit parameters.
 */
export interface StepDefinition<Args extends unknown[], Result> {
  readonly name: StepName;
  /** The substep, or a function of the arguments; the only one of its step unless given, of a poll `attempt_{n}`. */
  readonly substep?: string | ((...args: Known<Args>) => string);
  /** Low-cardinality span name; `{name} {substep group}` unless given. */
  readonly spanName?: string;
  /** `internal` unless given. */
  readonly kind?: StepKind;
  /** Starts a trace of its own. */
  readonly root?: boolean;
  /** Measures CPU, event-loop delay and peak memory. */
  readonly profile?: boolean;
  readonly identity?: (...args: Known<Args>) => StepIdentity;
  /** Attributes that the span has from its start on (for a running step). */
  readonly attributes?: (...args: Known<Args>) => StepAttributes;
  /** Maps the result to an outcome; default: `succeeded`. */
  readonly outcome?: (result: Settled<Result>, ...args: Known<Args>) => StepOutcome;
  /** Maps a throw to more than `failed` and its classified error. */
  readonly failure?: (error: unknown, ...args: Known<Args>) => Partial<StepOutcome>;
}
