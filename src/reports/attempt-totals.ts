import type { Attempt } from './explanation.ts';

/** How much was done for a forecast. */
export interface AttemptTotals {
  /** Executions of steps, the calls inside them not counted. */
  readonly attempts: number;
  /** Attempts after a failed one. A poll that finds the miner still computing is none. */
  readonly retries: number;
  /** Visits that found no truth yet; they use up no attempt. */
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
