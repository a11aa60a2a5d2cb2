import { ProxyTracer, trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { CategorizedError, STEP_NAMES, SUBSTEP_PATTERN, SUBSTEPS, toSubstepGroup } from '#semconv';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import type { StepDefinition } from './definition.ts';
import { countFault, guarded } from './instrumentation-faults.ts';

/** Cached tracer, looked up again only when another SDK is registered. */
class StepTracer {
  #provider: unknown = null;
  #tracer: Tracer | null = null;

  /**
   * Until an SDK is registered, the proxy tracer of the API; it is not cached, since it may delegate to a later SDK.
   */
  get(): Tracer {
    const registered = trace.getTracerProvider();
    const provider = hasDelegate(registered) ? registered.getDelegate() : registered;
    if (this.#tracer !== null && provider === this.#provider) return this.#tracer;
    const { name, version, schemaUrl } = INSTRUMENTATION_SCOPE;
    const tracer = registered.getTracer(name, version, { schemaUrl });
    this.#provider = provider;
    this.#tracer = tracer instanceof ProxyTracer ? null : tracer;
    return tracer;
  }
}

/** The API's global provider is a proxy for the registered one. */
const hasDelegate = (
  provider: TracerProvider,
): provider is TracerProvider & { getDelegate(): TracerProvider } =>
  'getDelegate' in provider && typeof provider.getDelegate === 'function';

/** Formats instants as ISO 8601, with a cache of one entry: all steps of a run carry the same T0. */
export class InstantText {
  #millis = NaN;
  #text = '';

  /** @throws RangeError when the date is none */
  of(date: Date): string {
    const millis = date.getTime();
    if (millis === this.#millis) return this.#text;
    this.#text = date.toISOString();
    this.#millis = millis;
    return this.#text;
  }
}

/** A type-erased definition; the types of `step` guarantee that its callbacks get matching arguments. */
export type AnyDefinition = StepDefinition<unknown[], unknown>;

/** A validated definition, with everything precomputed that does not depend on the call. */
export interface StepPlan {
  readonly definition: AnyDefinition;
  /** The substep, unless it depends on the arguments. */
  readonly substep: string | null;
  readonly spanName: string | null;
  readonly tracer: StepTracer;
  readonly initTimeText: InstantText;
}

/**
 * Validates a definition and precomputes its plan.
 *
 * @throws CategorizedError `validator_internal` when the step or its fixed substep is not in the vocabulary.
 */
export function toStepPlan(definition: AnyDefinition): StepPlan {
  const { name, substep, spanName } = definition;
  const prepared = { definition, tracer: new StepTracer(), initTimeText: new InstantText() };
  if (!STEP_NAMES.includes(name)) {
    throw new CategorizedError(
      'validator_internal',
      `step name is "${name}"; allowed: ${STEP_NAMES.join(', ')}; name one of them in the definition`,
    );
  }
  if (typeof substep === 'function') return { ...prepared, substep: null, spanName: spanName ?? null };
  if (!isSubstep(name, substep)) {
    throw new CategorizedError(
      'validator_internal',
      `substep of ${name} is "${substep}"; allowed: ${SUBSTEPS[name].join(', ')} (a poll's is attempt_{n}); ` +
        'name one of them in the definition',
    );
  }
  return { ...prepared, substep, spanName: spanName ?? toSpanName(name, substep) };
}

const isSubstep = (name: (typeof STEP_NAMES)[number], substep: string): boolean =>
  toSubstepGroup(name, substep) !== null && SUBSTEP_PATTERN.test(substep);

/** `poll attempt` for `attempt_3`: a span name never carries a number. */
function toSpanName(name: (typeof STEP_NAMES)[number], substep: string): string {
  const group = toSubstepGroup(name, substep);
  return group === null ? name : `${name} ${group}`;
}

/**
 * The substep of one call. One that is not in the vocabulary is counted as a fault and kept as it is: the translation
 * rejects the span with a reason, so that it is not lost silently. Empty when the callback failed.
 */
export function substepOf(plan: StepPlan, args: unknown[]): string {
  const { name, substep } = plan.definition;
  if (plan.substep !== null || typeof substep === 'string') return plan.substep ?? '';
  const chosen = guarded('substep', '', () => substep(...args));
  if (chosen !== '' && (typeof chosen !== 'string' || !isSubstep(name, chosen))) countFault('substep');
  return typeof chosen === 'string' ? chosen : '';
}

/** The span's name for one call. */
export function spanNameOf(plan: StepPlan, substep: string): string {
  return plan.spanName ?? toSpanName(plan.definition.name, substep);
}
