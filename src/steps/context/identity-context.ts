import type { Span } from '@opentelemetry/api';
import type { StepIdentity } from '../definition.ts';
import { activeScope, runIn } from './step-scope.ts';

/** A step identity with all fields present, so that the objects of all calls have one hidden class. */
export type KnownIdentity = { readonly [Field in keyof StepIdentity]-?: StepIdentity[Field] | undefined };

const NO_IDENTITY: KnownIdentity = Object.freeze({
  validatorHotkey: undefined,
  runId: undefined,
  initTime: undefined,
  expectedLeads: undefined,
  minerUid: undefined,
  minerHotkey: undefined,
  leadHours: undefined,
  attempt: undefined,
  maxAttempts: undefined,
  queueJobId: undefined,
  traceparent: undefined,
  links: undefined,
});
const NO_SCOPE: StepScope = Object.freeze({ identity: NO_IDENTITY, step: null });

/** What the steps called here find. */
export interface StepScope {
  readonly identity: KnownIdentity;
  /** The innermost running step; null outside of any. */
  readonly step: { readonly span: Span } | null;
}

/** The scope of the steps that are called here. */
export const stepScope = (): StepScope => (activeScope() as StepScope | undefined) ?? NO_SCOPE;

/**
 * The identity that a step called here inherits.
 *
 * @example
 * ```ts
 * import { currentIdentity, withIdentity } from 'barograph';
 *
 * withIdentity({ runId: 7, minerHotkey: '5F3s…' }, () => currentIdentity().runId); // 7
 * ```
 */
export function currentIdentity(): StepIdentity {
  const known = Object.entries(stepScope().identity);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

/**
 * Gives an identity to the steps called by `fn`, merged over the one that holds here. They take all of it, the attempt
 * and the queue's job, too; the steps inside them inherit run, miner, lead and validator only.
 *
 * @example
 * ```ts
 * import { step, withIdentity } from 'barograph';
 *
 * const verify = step({ name: 'verify', substep: 'manifest' }, async () => 'verified');
 * await withIdentity({ runId: 7, minerHotkey: '5F3s…' }, () => verify()); // recorded for run 7
 * ```
 */
export function withIdentity<Result>(identity: StepIdentity, fn: () => Result): Result {
  const { identity: around, step } = stepScope();
  return runIn({ scope: { identity: mergeIdentity(around, identity), step }, api: null }, fn);
}

const isOther = (own: unknown, around: unknown): boolean =>
  own != null && around !== undefined && own !== around;

/**
 * Merges `own` over `around`. A step with another miner does not inherit the UID or hotkey of the enclosing miner, and
 * a step with another run does not inherit its init time.
 */
export function mergeIdentity(around: KnownIdentity, own: StepIdentity): KnownIdentity {
  const miner =
    isOther(own.minerHotkey, around.minerHotkey) || isOther(own.minerUid, around.minerUid)
      ? NO_IDENTITY
      : around;
  const run = isOther(own.runId, around.runId) ? NO_IDENTITY : around;
  return {
    validatorHotkey: own.validatorHotkey ?? around.validatorHotkey,
    runId: own.runId ?? run.runId,
    initTime: own.initTime ?? run.initTime,
    expectedLeads: own.expectedLeads ?? run.expectedLeads,
    minerUid: own.minerUid ?? miner.minerUid,
    minerHotkey: own.minerHotkey ?? miner.minerHotkey,
    leadHours: own.leadHours ?? around.leadHours,
    attempt: own.attempt ?? around.attempt,
    maxAttempts: own.maxAttempts ?? around.maxAttempts,
    queueJobId: own.queueJobId ?? around.queueJobId,
    traceparent: own.traceparent ?? around.traceparent,
    links: own.links ?? around.links,
  };
}

/** The part that nested steps inherit; attempt, job, parent and links belong to one step alone. */
export function toInherited(identity: KnownIdentity): KnownIdentity {
  const { attempt, maxAttempts, queueJobId, traceparent, links } = identity;
  const own = attempt ?? maxAttempts ?? queueJobId ?? traceparent ?? links;
  if (own === undefined) return identity;
  return {
    validatorHotkey: identity.validatorHotkey,
    runId: identity.runId,
    initTime: identity.initTime,
    expectedLeads: identity.expectedLeads,
    minerUid: identity.minerUid,
    minerHotkey: identity.minerHotkey,
    leadHours: identity.leadHours,
    attempt: undefined,
    maxAttempts: undefined,
    queueJobId: undefined,
    traceparent: undefined,
    links: undefined,
  };
}
