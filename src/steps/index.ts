export { classifyError, isRetryable } from './classify-error.ts';
export type {
  FinalResult,
  StepAttributes,
  StepDefinition,
  StepEvent,
  StepIdentity,
  StepOutcome,
} from './definition.ts';
export { currentIdentity, withIdentity } from './identity-context.ts';
export { instrumentationFaults, type FaultPlace } from './instrumentation-faults.ts';
export { Step } from './step-decorator.ts';
export { step } from './step.ts';
export { currentTraceparent } from './traceparent.ts';
