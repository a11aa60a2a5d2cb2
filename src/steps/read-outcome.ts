import type { StepOutcome } from './definition.ts';
import { countFault } from './instrumentation-faults.ts';
import type { StepPlan } from './step-plan.ts';

const OUTCOME_STATUSES: readonly string[] = [
  'succeeded',
  'failed',
  'retry_scheduled',
  'waiting_for_truth',
] satisfies StepOutcome['status'][];

const SUCCEEDED: StepOutcome = Object.freeze({ status: 'succeeded' });

/**
 * Reads the outcome of a result. When the definition's `outcome` throws or names no status, that is counted, and the
 * call is recorded by what is sure, that it returned: `succeeded`, with `instrumentation_fault` in its context.
 */
export function readOutcome({ definition }: StepPlan, result: unknown, args: unknown[]): StepOutcome {
  if (definition.outcome === undefined) return SUCCEEDED;
  try {
    const outcome = { ...definition.outcome(result, ...args) };
    if (OUTCOME_STATUSES.includes(outcome.status)) return outcome;
  } catch {
    // counted below, like an invalid status
  }
  countFault('outcome');
  return { status: 'succeeded', context: { instrumentation_fault: 'outcome' } };
}

/**
 * Reads the outcome of a throw: `failed` with the error, merged with what the definition's `failure` adds. When that
 * throws or names no status, it is counted, and the call is recorded as `failed`.
 */
export function readFailure({ definition }: StepPlan, error: unknown, args: unknown[]): StepOutcome {
  if (definition.failure === undefined) return { status: 'failed', error };
  try {
    const outcome = { status: 'failed' as const, error, ...definition.failure(error, ...args) };
    if (OUTCOME_STATUSES.includes(outcome.status)) return outcome;
  } catch {
    // counted below, like an invalid status
  }
  countFault('failure');
  return { status: 'failed', error, context: { instrumentation_fault: 'failure' } };
}
