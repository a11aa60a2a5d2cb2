import type { AttributeName, AttributeValue, StageStatus, StepName, StepStatus } from '#semconv';

/** Whose step it is. What a step leaves out is inherited from the step around it. */
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
  /** W3C traceparent of the span under which this step belongs, when that span ended long ago or elsewhere. */
  readonly traceparent?: string;
  /** W3C traceparents of spans that this step follows from: the attempt before, the trace of the run. */
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
  /** The stage that the forecast enters, in the words of the vocabulary. */
  readonly stage?: string;
  readonly stageStatus?: StageStatus;
  /** Why it did not succeed, as a value: a rejecting miner is not an exception, and not a success. */
  readonly error?: unknown;
  /** When it is tried again; goes with `retry_scheduled` and `waiting_for_truth`. */
  readonly nextRetryTime?: Date;
  readonly attributes?: StepAttributes;
  readonly events?: readonly StepEvent[];
  /** What the step did: bytes, counts, cycles, cache hits, progress. Kept as JSON. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** What a step is to the programs around it; `client` when it is a call to another one. */
export type StepKind = 'internal' | 'client' | 'server' | 'producer' | 'consumer';

/** What `outcome` is given: the awaited result, or what a generator returned when it came to its end. */
export type FinalResult<Result> =
  Result extends Generator<unknown, infer Returned, never>
    ? Returned
    : Result extends AsyncGenerator<unknown, infer Returned, never>
      ? Awaited<Returned>
      : Awaited<Result>;

/** The same arguments; callbacks with fewer parameters do not determine their types. */
type Known<Args extends unknown[]> = Args extends infer All extends unknown[] ? All : never;

/**
 * Describes a step once; `step(definition, fn)` and `@Step(definition)` make every call of `fn` a span.
 *
 * A declared `StepDefinition<Args, Result>` gives the function its types; one that is written in place takes them from
 * the function, so that its callbacks may leave out arguments that they do not need.
 */
export interface StepDefinition<Args extends unknown[], Result> {
  readonly name: StepName;
  /** The substep, or a function of the arguments (`attempt_{n}`). */
  readonly substep: string | ((...args: Known<Args>) => string);
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
  readonly outcome?: (result: FinalResult<Result>, ...args: Known<Args>) => StepOutcome;
  /** Maps a throw to more than `failed` and its classified error. */
  readonly failure?: (error: unknown, ...args: Known<Args>) => Partial<StepOutcome>;
}
