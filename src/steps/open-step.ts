import type { Span } from '@opentelemetry/api';
import { mergeIdentity, stepScope, toInherited, type StepScope } from './context/identity-context.ts';
import type { Surroundings } from './context/step-scope.ts';
import { guarded } from './instrumentation-faults.ts';
import { startProfile, type FinishProfile } from './profile.ts';
import { startSpan } from './start-span.ts';
import { substepOf, type StepPlan } from './step-plan.ts';

/** One running call of a step; `close-step.ts` closes it. */
export interface StepCall {
  readonly plan: StepPlan;
  readonly args: unknown[];
  readonly span: Span;
  /** What the function runs in: with the identity for the steps inside. */
  readonly surroundings: Surroundings;
  readonly finishProfile: FinishProfile | null;
  isClosed: boolean;
}

/** The innermost running step of the code that runs here. */
export const currentStep = (): StepCall | null => stepScope().step as StepCall | null;

/**
 * Starts the span of one call. Never throws: a fault is counted, and the step then runs with a span that records
 * nothing.
 */
export function openStep(plan: StepPlan, args: unknown[]): StepCall {
  const { identity: around, step: enclosing } = stepScope();
  const own = plan.definition.identity;
  const identity =
    own === undefined ? around : guarded('identity', around, () => mergeIdentity(around, own(...args)));
  const { span, api } = startSpan(
    plan,
    { identity, substep: substepOf(plan, args, identity.attempt), args },
    enclosing?.span ?? null,
  );
  const finishProfile =
    plan.definition.profile === true && span.isRecording() ? guarded('profile', null, startProfile) : null;
  const scope: Mutable<StepScope> = { identity: toInherited(identity), step: null };
  const step = { plan, args, span, surroundings: { scope, api }, finishProfile, isClosed: false };
  scope.step = step;
  return step;
}

/** A step and its scope refer to each other. */
type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };
