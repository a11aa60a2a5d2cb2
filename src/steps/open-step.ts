import {
  context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  ProxyTracer,
  SpanKind,
  trace,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import { INSTRUMENTATION_SCOPE } from '../semconv/instrumentation-scope.ts';
import type { StepKind } from './definition.ts';
import {
  identityIn,
  mergeIdentity,
  toInherited,
  withIdentityIn,
  type KnownIdentity,
} from './identity-context.ts';
import { countFault, guarded } from './instrumentation-faults.ts';
import { startProfile, type FinishProfile } from './profile.ts';
import { toStartAttributes, type StartOfStep } from './start-attributes.ts';
import { spanNameOf, substepOf, type StepPlan } from './step-plan.ts';
import { parseTraceparent } from './traceparent.ts';

const SPAN_KINDS: Readonly<Record<StepKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** One running call of a step; `close-step.ts` closes it. */
export interface OpenStep {
  readonly plan: StepPlan;
  readonly args: unknown[];
  readonly span: Span;
  /** What the step runs in: its span, and the identity for the steps inside. */
  readonly context: Context;
  readonly finishProfile: FinishProfile | null;
  isClosed: boolean;
}

const STEP_KEY = createContextKey('barograph: the step that is under way');

/** The innermost step that is under way in a context. */
export const stepIn = (active: Context): OpenStep | null =>
  (active.getValue(STEP_KEY) as OpenStep | undefined) ?? null;

/** Starts the span of one call. Never throws: what fails is counted, and the step runs with a span that records nothing. */
export function openStep(plan: StepPlan, args: unknown[]): OpenStep {
  const active = context.active();
  const around = identityIn(active);
  const own = plan.definition.identity;
  const identity =
    own === undefined ? around : guarded('identity', around, () => mergeIdentity(around, own(...args)));
  const span = startSpan(plan, { identity, substep: substepOf(plan, args), args }, active);
  const inherited = toInherited(identity);
  const inside = inherited === around ? active : withIdentityIn(active, inherited);
  const finishProfile =
    plan.definition.profile === true && span.isRecording() ? guarded('profile', null, startProfile) : null;
  const step = { plan, args, span, context: inside, finishProfile, isClosed: false };
  step.context = trace.setSpan(inside, span).setValue(STEP_KEY, step);
  return step;
}

function startSpan(plan: StepPlan, start: StartOfStep, active: Context): Span {
  try {
    const { name, version, schemaUrl } = INSTRUMENTATION_SCOPE;
    const tracer = trace.getTracerProvider().getTracer(name, version, { schemaUrl });
    // The API gives a stand-in until an SDK is registered: then nobody would read the attributes.
    const attributes = tracer instanceof ProxyTracer ? {} : toStartAttributes(plan, start);
    const { root = false, kind = 'internal' } = plan.definition;
    const options = { root, kind: SPAN_KINDS[kind], links: linksOf(start.identity), attributes };
    return tracer.startSpan(spanNameOf(plan, start.substep), options, parentOf(active, start.identity));
  } catch {
    countFault('start');
    return trace.wrapSpanContext(trace.getSpanContext(active) ?? INVALID_SPAN_CONTEXT);
  }
}

/** The context of the parent: the one that the identity names, else the active one. */
function parentOf(active: Context, { traceparent }: KnownIdentity): Context {
  if (traceparent === undefined) return active;
  const parent = guarded('traceparent', null, () => parseTraceparent(traceparent));
  if (parent !== null) return trace.setSpanContext(active, parent);
  countFault('traceparent');
  return active;
}

function linksOf({ links }: KnownIdentity): Link[] {
  if (links === undefined) return [];
  return guarded('traceparent', [], () =>
    links.flatMap((link) => {
      const linked = parseTraceparent(link);
      if (linked === null) countFault('traceparent');
      return linked === null ? [] : [{ context: linked }];
    }),
  );
}
