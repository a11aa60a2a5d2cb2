import type { EpochMicros } from '#facts/step-fact';
import type { ForecastFold } from './forecast-fold.ts';
import { compareTimestamps, newestOf, type LwwRegister } from './lww-register.ts';
import type { SlotError, SlotState } from './step-slots.ts';
import type { StageValue } from './step-stage.ts';

/** A slot with the lead that it belongs to; null for a step without leads. */
export interface NamedSlot extends LwwRegister<SlotState> {
  readonly name: string;
  readonly leadHours: number | null;
}

/** The slots among the registers of a forecast. */
export function slotsOf(newest: ForecastFold['newest']): readonly NamedSlot[] {
  const slots: NamedSlot[] = [];
  for (const key in newest) {
    if (!key.startsWith('slot:')) continue;
    const register = newest[key as `slot:${string}`];
    const name = key.slice('slot:'.length);
    const lead = name.startsWith('era5:') ? Number(name.slice('era5:'.length)) : null;
    if (register !== undefined) slots.push({ ...register, name, leadHours: lead });
  }
  return slots;
}

/** The slot whose next attempt is scheduled earliest; of several at one instant the lowest lead. */
export function nextSlot(slots: readonly NamedSlot[]): NamedSlot | undefined {
  let next: NamedSlot | undefined;
  for (const slot of slots) {
    if (slot.value.nextRetryTime !== null && (next === undefined || compareSlots(slot, next) < 0))
      next = slot;
  }
  return next;
}

const compareSlots = (a: NamedSlot, b: NamedSlot): number =>
  (a.value.nextRetryTime ?? 0) - (b.value.nextRetryTime ?? 0) ||
  (a.leadHours ?? 0) - (b.leadHours ?? 0) ||
  (a.name < b.name ? -1 : 1);

/** Whether the newest step was abandoned after the stage was entered: an abandoned step does not write its stage. */
export function isAbandonedSince(
  slots: readonly NamedSlot[],
  stage: LwwRegister<StageValue> | undefined,
): boolean {
  const slot = newestOf(slots);
  if (slot?.value.abandoned == null) return false;
  return stage !== undefined && compareTimestamps(slot.at, stage.at) > 0;
}

/** Errors that no later success of their step has overcome. */
export function standingErrors(
  newest: ForecastFold['newest'],
  slots: readonly NamedSlot[],
): readonly LwwRegister<NonNullable<SlotError>>[] {
  const errors: LwwRegister<NonNullable<SlotError>>[] = [];
  for (const name in newest) {
    if (!name.startsWith('error:')) continue;
    const register = newest[name as `error:${string}`];
    if (register?.value != null) errors.push({ at: register.at, value: register.value });
  }
  for (const { at, value } of slots) if (value.abandoned != null) errors.push({ at, value: value.abandoned });
  return errors;
}

/** When a forecast is tried again, and how many retries are left then. */
export interface RetryColumns {
  readonly retriesRemaining: number | null;
  readonly nextScheduledRetry: EpochMicros | null;
}

/**
 * The retry that is scheduled earliest, with the retries remaining of its step. With none scheduled, those of the newest
 * step: all of them once it succeeded, since the next failure starts a new count.
 */
export function retryColumns(slots: readonly NamedSlot[], next: NamedSlot | undefined): RetryColumns {
  const slot = (next ?? newestOf(slots))?.value;
  if (slot === undefined) return { retriesRemaining: null, nextScheduledRetry: null };
  const used = slot.status === 'succeeded' ? 1 : slot.attempt;
  return {
    retriesRemaining: slot.maxAttempts === null ? null : Math.max(0, slot.maxAttempts - used),
    nextScheduledRetry: slot.nextRetryTime,
  };
}
