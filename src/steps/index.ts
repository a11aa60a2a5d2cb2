export { classifyError, isRetryable } from './errors/classify-error.ts';
export type {
  FinalResult,
  StepAttributes,
  StepDefinition,
  StepEvent,
  StepIdentity,
  StepOutcome,
} from './definition.ts';
export type { EndedSpan } from './ended-span.ts';
export { currentIdentity, withIdentity } from './context/identity-context.ts';
export { instrumentationFaults, type FaultPlace } from './instrumentation-faults.ts';
export { previewEnd } from './close-step.ts';
export { Step } from './step-decorator.ts';
export { step } from './step.ts';
export { currentTraceparent } from './context/traceparent.ts';
