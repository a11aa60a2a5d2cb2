import {
  context,
  INVALID_SPAN_CONTEXT,
  ProxyTracer,
  SpanKind,
  trace,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import type { StepKind } from './definition.ts';
import {
  mergeIdentity,
  stepScopeIn,
  toInherited,
  type KnownIdentity,
  type StepScope,
} from './context/identity-context.ts';
import { countFault, guarded } from './instrumentation-faults.ts';
import { startProfile, type FinishProfile } from './profile.ts';
import { toStartAttributes, type StartOfStep } from './start-attributes.ts';
import { spanNameOf, substepOf, type StepPlan } from './step-plan.ts';
import { withSpanAndScope } from './context/step-scope.ts';
import { parseTraceparent } from './context/traceparent.ts';

const SPAN_KINDS: Readonly<Record<StepKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** One running call of a step; `close-step.ts` closes it. */
export interface StepCall {
  readonly plan: StepPlan;
  readonly args: unknown[];
  readonly span: Span;
  /** The context that the function runs in: with its span, and the identity for the steps inside. */
  readonly context: Context;
  readonly finishProfile: FinishProfile | null;
  isClosed: boolean;
}

/** The innermost running step of a context. */
export const stepIn = (active: Context): StepCall | null => stepScopeIn(active).step as StepCall | null;

/**
 * Starts the span of one call. Never throws: a fault is counted, and the step then runs with a span that records
 * nothing.
 */
export function openStep(plan: StepPlan, args: unknown[]): StepCall {
  const active = context.active();
  const { identity: around } = stepScopeIn(active);
  const own = plan.definition.identity;
  const identity =
    own === undefined ? around : guarded('identity', around, () => mergeIdentity(around, own(...args)));
  const span = startSpan(plan, { identity, substep: substepOf(plan, args), args }, active);
  const finishProfile =
    plan.definition.profile === true && span.isRecording() ? guarded('profile', null, startProfile) : null;
  const step = { plan, args, span, context: active, finishProfile, isClosed: false };
  const scope: StepScope = { identity: toInherited(identity), step };
  step.context = withSpanAndScope(active, span, scope);
  return step;
}

function startSpan(plan: StepPlan, start: StartOfStep, active: Context): Span {
  try {
    const tracer = plan.tracer.get();
    // Until an SDK is registered the API returns a proxy tracer, and no span would carry the attributes.
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
