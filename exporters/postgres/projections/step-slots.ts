import type { EpochMicros, StepFact } from '#facts/step-fact';
import type { ErrorCategory, StepStatus } from '#semconv';
import { memoize } from '#semconv/memoize';

/** State of the newest attempt of one step (of one lead, for ERA5). */
export interface SlotState {
  readonly status: StepStatus;
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly nextRetryTime: EpochMicros | null;
  /** Why the attempt was abandoned; absent unless it was. */
  readonly abandoned?: SlotError;
}

/** An error as a forecast shows it; null once the step succeeded. */
export type SlotError = { readonly type: ErrorCategory; readonly message: string } | null;

/** Registers of slots: the newest attempt of a step, and the newest error that it has not overcome since. */
export interface SlotValues {
  [slot: `slot:${string}`]: SlotState;
  [error: `error:${string}`]: SlotError;
}

/** Register names of a slot. */
const namesOf = memoize((slot) => ({ state: `slot:${slot}`, error: `error:${slot}` }) as const);

/** The slot of a start. Only while the step runs: every end sets it again, with a later timestamp. */
export function startedSlot(fact: StepFact, slot: string | null): Partial<SlotValues> {
  const fields: Partial<SlotValues> = {};
  if (slot !== null && fact.phase === 'started') fields[namesOf(slot).state] = slotState(fact, 'in_progress');
  return fields;
}

/** The slot and the error of a real end. */
export function endedSlot(fact: StepFact, slot: string | null): Partial<SlotValues> {
  const fields: Partial<SlotValues> = {};
  if (slot === null) return fields;
  const { state, error } = namesOf(slot);
  fields[state] = slotState(fact, fact.status);
  if (fact.state.superseded === true) return fields;
  if (fact.error) fields[error] = { type: fact.error.type, message: fact.error.message };
  else if (fact.status === 'succeeded') fields[error] = null;
  return fields;
}

/** A closing sets only the slot. Every real end sets the slot again, so it overwrites all that a closing wrote. */
export function closedSlot(fact: StepFact, slot: string | null): Partial<SlotValues> {
  const { error } = fact;
  const abandoned = error === null ? null : { type: error.type, message: error.message };
  const fields: Partial<SlotValues> = {};
  if (slot !== null) fields[namesOf(slot).state] = { ...slotState(fact, fact.status), abandoned };
  return fields;
}

function slotState(fact: StepFact, status: StepStatus): SlotState {
  const { attempt, maxAttempts } = fact;
  return {
    status,
    attempt,
    maxAttempts,
    nextRetryTime: status === 'in_progress' ? null : fact.nextRetryTime,
  };
}
