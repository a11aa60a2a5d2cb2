import { REQUIRED_ATTRIBUTES, SUBSTEPS, toSubstepGroup, type StepName } from '#semconv';
import { hideSecretValues } from '#semconv/secret-values';
import { cleanText, type Adjustments } from './clean-value.ts';
import type { ObservedSpan } from './observed-span.ts';
import type { AttributeProblem } from './read-attributes.ts';
import type { SpanAttributes } from './state-fact.ts';
import type { StepFact } from './step-fact.ts';

/** The identity of a step: validator, run, miner, step, lead and attempt. */
export type Identity = Pick<
  StepFact,
  | 'validatorHotkey'
  | 'traceId'
  | 'spanId'
  | 'parentSpanId'
  | 'spanName'
  | 'instanceId'
  | 'runId'
  | 'minerHotkey'
  | 'minerUid'
  | 'stepName'
  | 'substep'
  | 'substepGroup'
  | 'leadHours'
  | 'attempt'
  | 'maxAttempts'
  | 'queueJobId'
>;

type ReadIdentity =
  | { readonly kind: 'complete'; readonly identity: Identity }
  | { readonly kind: 'incomplete'; readonly problems: readonly AttributeProblem[] };

/** Steps of a whole run, which have no miner; all other steps must have one. */
export const RUN_LEVEL_STEPS: readonly StepName[] = ['seed', 'orchestration', 'aggregate'];

function textOf(record: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = record[name];
  return typeof value === 'string' && value !== '' ? hideSecretValues(value) : null;
}

function problemsOf(values: SpanAttributes, validatorHotkey: string | null): AttributeProblem[] {
  const step = values['weather.step.name'] ?? null;
  const substep = values['weather.step.substep'] ?? null;
  const present = { ...values, 'weather.validator.hotkey': validatorHotkey };
  const missing: string[] = REQUIRED_ATTRIBUTES.step.filter((name) => (present[name] ?? '') === '');
  if (step !== null && !RUN_LEVEL_STEPS.includes(step) && !values['weather.miner.hotkey']) {
    missing.push('weather.miner.hotkey');
  }
  const problems = missing.map((attribute) => ({ attribute, message: `${attribute} is missing` }));
  if (step !== null && substep !== null && toSubstepGroup(step, substep) === null) {
    const message = `weather.step.substep is "${substep}", which is no substep of ${step}; allowed: ${allowedSubsteps(step)}`;
    problems.push({ attribute: 'weather.step.substep', message });
  }
  return problems;
}

const allowedSubsteps = (step: StepName): string =>
  SUBSTEPS[step].map((name) => (name === 'attempt' ? 'attempt_{n}' : name)).join(', ');

/** Longest name of a key, UTF-16 units: PostgreSQL indexes no key of more than 2,704 bytes. */
export const MAX_KEY_LENGTH = 256;

/** NUL, and what stands for bytes that could not be read, or for a NUL in a dead letter. */
const UNREADABLE = /[\0\uFFFD]/;

/**
 * Names by which rows are told apart, which would be changed by being cleaned or cut: two of them could become one, and the
 * work of one miner that of another. They are refused.
 */
export function readKeyProblems({ attributes, resource }: ObservedSpan): readonly AttributeProblem[] {
  const keys = [
    [
      'weather.validator.hotkey',
      attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'],
    ],
    ['weather.miner.hotkey', attributes['weather.miner.hotkey']],
    ['service.instance.id', resource['service.instance.id']],
  ] as const;
  return keys.flatMap(([attribute, value]) => {
    if (typeof value !== 'string') return [];
    if (value.length > MAX_KEY_LENGTH)
      return [
        { attribute, message: `${attribute} has ${value.length} characters; allowed: ${MAX_KEY_LENGTH}` },
      ];
    if (value.isWellFormed() && !UNREADABLE.test(value)) return [];
    const message = `${attribute} is ${JSON.stringify(value)}; allowed: text that is valid UTF-8, without NUL`;
    return [{ attribute, message }];
  });
}

/** Reads the identity of a span; the validator may be an attribute of the resource instead. */
export function readIdentity(
  span: ObservedSpan,
  values: SpanAttributes,
  adjustments: Adjustments,
): ReadIdentity {
  const validatorHotkey =
    values['weather.validator.hotkey'] ?? textOf(span.resource, 'weather.validator.hotkey');
  const problems = problemsOf(values, validatorHotkey);
  const stepName = values['weather.step.name'];
  const substep = values['weather.step.substep'];
  const runId = values['weather.run.id'];
  const substepGroup = stepName && substep ? toSubstepGroup(stepName, substep) : null;
  if (problems.length > 0 || !validatorHotkey || runId == null || !stepName || !substep || !substepGroup) {
    return { kind: 'incomplete', problems };
  }
  return {
    kind: 'complete',
    identity: {
      validatorHotkey,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      spanName: cleanText(hideSecretValues(span.name), adjustments),
      instanceId: textOf(span.resource, 'service.instance.id'),
      runId,
      minerHotkey: values['weather.miner.hotkey'] ?? null,
      minerUid: values['weather.miner.uid'] ?? null,
      stepName,
      substep,
      substepGroup,
      leadHours: values['weather.lead_hours'] ?? null,
      attempt: values['weather.step.attempt'] ?? 1,
      maxAttempts: values['weather.step.max_attempts'] ?? null,
      queueJobId: values['weather.step.queue_job_id'] ?? null,
    },
  };
}
