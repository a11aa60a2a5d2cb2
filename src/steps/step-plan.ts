import {
  CategorizedError,
  pollSubstep,
  STEP_NAMES,
  SUBSTEP_PATTERN,
  SUBSTEPS,
  toSubstepGroup,
} from '#semconv';
import type { StepDefinition } from './definition.ts';
import { countFault, guarded } from './instrumentation-faults.ts';

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

/** The substep that stands for a number. */
const NUMBERED = 'attempt';

/** A validated definition, with everything precomputed that does not depend on the call. */
export interface StepPlan {
  readonly definition: AnyDefinition;
  /** The substep, unless it depends on the call. */
  readonly substep: string | null;
  readonly spanName: string | null;
  readonly initTimeText: InstantText;
}

/**
 * Validates a definition and precomputes its plan.
 *
 * @throws CategorizedError `validator_internal` when the step or its fixed substep is not in the vocabulary.
 */
export function toStepPlan(definition: AnyDefinition): StepPlan {
  const { name, substep, spanName } = definition;
  const prepared = { definition, initTimeText: new InstantText() };
  if (!STEP_NAMES.includes(name)) {
    throw new CategorizedError(
      'validator_internal',
      `step name is "${name}"; allowed: ${STEP_NAMES.join(', ')}; name one of them in the definition`,
    );
  }
  if (typeof substep === 'function') return { ...prepared, substep: null, spanName: spanName ?? null };
  const [only = '', ...others] = SUBSTEPS[name];
  const known = substep ?? (others.length === 0 ? only : undefined);
  // A poll's substep carries the number of its attempt, which each call has.
  if (known === NUMBERED) return { ...prepared, substep: null, spanName: spanName ?? `${name} ${NUMBERED}` };
  if (known === undefined || !isSubstep(name, known)) {
    throw new CategorizedError(
      'validator_internal',
      `substep of ${name} is "${String(known)}"; allowed: ${SUBSTEPS[name].join(', ')} (a poll's becomes attempt_{n} by its attempt); ` +
        'name one of them in the definition',
    );
  }
  return { ...prepared, substep: known, spanName: spanName ?? toSpanName(name, known) };
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
export function substepOf(plan: StepPlan, args: unknown[], attempt: number | undefined): string {
  const { name, substep } = plan.definition;
  if (plan.substep !== null) return plan.substep;
  if (typeof substep !== 'function') return pollSubstep(attempt ?? 1);
  const chosen = guarded('substep', '', () => substep(...args));
  if (chosen !== '' && (typeof chosen !== 'string' || !isSubstep(name, chosen))) countFault('substep');
  return typeof chosen === 'string' ? chosen : '';
}

/** The span's name for one call. */
export function spanNameOf(plan: StepPlan, substep: string): string {
  return plan.spanName ?? toSpanName(plan.definition.name, substep);
}
