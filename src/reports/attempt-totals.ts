import type { Attempt } from './explanation.ts';

/** Counts over the attempts of a forecast. */
export interface AttemptTotals {
  /** Executions of steps, the calls inside them not counted. */
  readonly attempts: number;
  /** Attempts after a failed one. A poll of a miner that is still computing is not a failure. */
  readonly retries: number;
  /** Steps that found no truth yet; they use no attempt. */
  readonly waits: number;
  readonly calls: number;
  readonly failed_calls: number;
}

/** Counts the attempts of a forecast. */
export function totalsOf(attempts: readonly Attempt[]): AttemptTotals {
  const calls = attempts.filter(({ step_name: step }) => step === 'communication');
  const steps = attempts.filter(({ step_name: step }) => step !== 'communication');
  const failures = steps.filter(
    ({ status, error_type: type }) => status === 'retry_scheduled' && type !== null,
  );
  return {
    attempts: steps.length,
    retries: failures.length,
    waits: steps.filter(({ status }) => status === 'waiting_for_truth').length,
    calls: calls.length,
    failed_calls: calls.filter(({ status }) => status === 'failed').length,
  };
}
