import { context, createContextKey, type Context } from '@opentelemetry/api';
import type { StepIdentity } from './definition.ts';

const IDENTITY = createContextKey('barograph.identity');

/** A step identity with every field there, known or not: of one shape, for every call of every step makes one. */
export type KnownIdentity = { readonly [Field in keyof StepIdentity]-?: StepIdentity[Field] | undefined };

const NOBODY: KnownIdentity = Object.freeze({
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

/** Whose steps run in this context, as far as the steps around tell. */
export function identityIn(active: Context): KnownIdentity {
  return (active.getValue(IDENTITY) as KnownIdentity | undefined) ?? NOBODY;
}

/** The context with an identity for the steps in it. */
export const withIdentityIn = (active: Context, identity: KnownIdentity): Context =>
  active.setValue(IDENTITY, identity);

/** The identity that a step called here would have before it says anything of its own. */
export function currentIdentity(): StepIdentity {
  const known = Object.entries(identityIn(context.active()));
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

/**
 * Gives an identity to the steps called by `fn`, merged over the one that holds here. They take all of it, the attempt
 * and the queue's job, too; the steps inside them inherit run, miner, lead and validator only.
 */
export function withIdentity<Result>(identity: StepIdentity, fn: () => Result): Result {
  const active = context.active();
  return context.with(withIdentityIn(active, mergeIdentity(identityIn(active), identity)), fn);
}

const isOther = (own: unknown, around: unknown): boolean =>
  own != null && around !== undefined && own !== around;

/**
 * `own` over `around`. Who names another miner does not get the slot of the miner around, and who names another run not
 * its initialisation time.
 */
export function mergeIdentity(around: KnownIdentity, own: StepIdentity): KnownIdentity {
  const miner =
    isOther(own.minerHotkey, around.minerHotkey) || isOther(own.minerUid, around.minerUid) ? NOBODY : around;
  const run = isOther(own.runId, around.runId) ? NOBODY : around;
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

/** What of an identity the steps inside inherit: attempt, job, parent and links are a step's own. */
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
