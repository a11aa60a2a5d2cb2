import type { Attributes } from '@opentelemetry/api';
import { scrubText } from '#semconv';
import type { KnownIdentity } from './context/identity-context.ts';
import { countFault, guarded } from './instrumentation-faults.ts';
import type { InstantText, StepPlan } from './step-plan.ts';

/** Attributes with text from outside: it may contain secrets or addresses and is scrubbed. */
const FREE_TEXT: ReadonlySet<string> = new Set([
  'weather.run.error_message',
  'weather.score.reason',
  'weather.response.wire_status',
  'weather.component.reason',
  'weather.orchestration.reason',
]);

/**
 * Copies values except null and undefined. Free text is scrubbed; a value of any other type than text, number or flag
 * counts as a fault.
 */
export function addAttributes(target: Attributes, source: Readonly<Record<string, unknown>>): void {
  for (const name in source) {
    const value = source[name];
    if (value === null || value === undefined) continue;
    if (typeof value === 'string') target[name] = FREE_TEXT.has(name) ? scrubText(value) : value;
    else if (typeof value === 'number' || typeof value === 'boolean') target[name] = value;
    else countFault('attributes');
  }
}

function addIdentity(target: Attributes, identity: KnownIdentity, initTimeText: InstantText): void {
  const { validatorHotkey, runId, initTime, expectedLeads, minerUid, minerHotkey } = identity;
  const { leadHours, attempt, maxAttempts, queueJobId } = identity;
  if (validatorHotkey !== undefined) target['weather.validator.hotkey'] = validatorHotkey;
  if (runId !== undefined) target['weather.run.id'] = runId;
  if (expectedLeads !== undefined) target['weather.run.expected_leads'] = expectedLeads;
  if (minerUid !== undefined) target['weather.miner.uid'] = minerUid;
  if (minerHotkey !== undefined) target['weather.miner.hotkey'] = minerHotkey;
  if (leadHours !== undefined) target['weather.lead_hours'] = leadHours;
  if (attempt !== undefined) target['weather.step.attempt'] = attempt;
  if (maxAttempts !== undefined) target['weather.step.max_attempts'] = maxAttempts;
  if (queueJobId !== undefined) target['weather.step.queue_job_id'] = queueJobId;
  if (initTime !== undefined) target['weather.run.init_time'] = initTimeText.of(initTime);
}

/** The identity and arguments of one call, as its span records them. */
export interface StartOfStep {
  readonly identity: KnownIdentity;
  readonly substep: string;
  readonly args: unknown[];
}

/** The attributes of a span at its start. */
export function toStartAttributes(
  { definition, initTimeText }: StepPlan,
  { identity, substep, args }: StartOfStep,
): Attributes {
  const attributes: Attributes = {
    'weather.step.name': definition.name,
    'weather.step.status': 'in_progress',
  };
  if (substep !== '') attributes['weather.step.substep'] = substep;
  guarded('identity', undefined, () => addIdentity(attributes, identity, initTimeText));
  const attributesOf = definition.attributes;
  if (attributesOf !== undefined)
    guarded('attributes', undefined, () => addAttributes(attributes, attributesOf(...args)));
  return attributes;
}
