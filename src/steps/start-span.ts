import {
  context,
  INVALID_SPAN_CONTEXT,
  ProxyTracer,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import type { KnownIdentity } from './context/identity-context.ts';
import { parseTraceparent } from './context/traceparent.ts';
import type { StepKind } from './definition.ts';
import { countFault, countUnrecorded, guarded } from './instrumentation-faults.ts';
import { currentRecorder, type SharedSpans } from './recorders.ts';
import { toStartAttributes, type StartOfStep } from './start-attributes.ts';
import { spanNameOf, type StepPlan } from './step-plan.ts';

const SPAN_KINDS: Readonly<Record<StepKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** The span of a call. */
export interface StartedSpan {
  readonly span: Span;
  /** The context of the API with the span in it; null when the span is ours alone. */
  readonly api: Context | null;
}

/** The span of a call before it is known which SDK makes it. */
interface Plan {
  readonly name: string;
  readonly options: {
    readonly root: boolean;
    readonly kind: SpanKind;
    readonly links: Link[];
    readonly attributes: Attributes;
  };
  /** The parent that the identity names. */
  readonly named: SpanContext | null;
  readonly enclosing: Span | null;
}

/**
 * Starts the span of a call: in the recorder's own SDK, or in that of the program, where there is no recorder or the
 * program gives our processor its spans. Never both. Never throws.
 *
 * @param enclosing the span of the step that calls this one
 */
export function startSpan(plan: StepPlan, start: StartOfStep, enclosing: Span | null): StartedSpan {
  try {
    const recorder = currentRecorder();
    if (recorder === null) {
      const host = hostTracer.get();
      // Until an SDK is registered the API returns a proxy tracer, and no span would carry the attributes.
      const isRecorded = !(host instanceof ProxyTracer);
      if (!isRecorded) countUnrecorded();
      const span = toPlan(plan, start, { enclosing, isRecorded });
      return withoutCutIdentity(startInHost(host, span), span.options.attributes);
    }
    const own = toPlan(plan, start, { enclosing, isRecorded: true });
    const shared = recorder.shared === null ? null : startShared(own, recorder.shared);
    return shared ?? { span: startIn(recorder.tracer, own, ownParent(own)), api: null };
  } catch {
    countFault('start');
    const parent = (enclosing ?? trace.getActiveSpan())?.spanContext();
    return { span: trace.wrapSpanContext(parent ?? INVALID_SPAN_CONTEXT), api: null };
  }
}

function toPlan(
  plan: StepPlan,
  start: StartOfStep,
  { enclosing, isRecorded }: { readonly enclosing: Span | null; readonly isRecorded: boolean },
): Plan {
  const { root = false, kind = 'internal' } = plan.definition;
  const attributes = isRecorded ? toStartAttributes(plan, start) : {};
  const links = linksOf(start.identity);
  const options = { root, kind: SPAN_KINDS[kind], links, attributes };
  return { name: spanNameOf(plan, start.substep), options, named: namedParent(start.identity), enclosing };
}

const startIn = (tracer: Tracer, { name, options }: Plan, parent: Context): Span =>
  tracer.startSpan(name, options, parent);

/** Among the spans of the program: below its active one, and active itself while the step runs. */
function startInHost(tracer: Tracer, plan: Plan): StartedSpan {
  const active = context.active();
  const { named, enclosing } = plan;
  const isNested = named === null && enclosing !== null && trace.getSpan(active) === undefined;
  const around = isNested ? trace.setSpan(active, enclosing) : active;
  const span = startIn(tracer, plan, named === null ? around : trace.setSpanContext(around, named));
  return { span, api: trace.setSpan(active, span) };
}

/** Refuses an identity that the limits of an SDK cut, which would be another miner's: such a span is a dead letter. */
function withoutCutIdentity(started: StartedSpan, attributes: Attributes): StartedSpan {
  const { span } = started;
  const kept = 'attributes' in span ? (span.attributes as Attributes) : attributes;
  for (const name of ['weather.miner.hotkey', 'weather.validator.hotkey']) {
    if (kept[name] === undefined || kept[name] === attributes[name]) continue;
    span.setAttribute(name, '');
    countFault('identity');
  }
  return started;
}

/**
 * The span in the program's SDK, if that gives it to the recorder; null if not, as when it samples the span out. A
 * span that it records and does not give, or cuts, shows that it has not our processor, or limits that lose scores: it
 * is not asked again. The one that was begun is never ended, so that nobody exports it.
 */
function startShared(plan: Plan, spans: SharedSpans): StartedSpan | null {
  const host = hostTracer.get();
  if (host instanceof ProxyTracer || hostTracer.isForeign) return null;
  spans.expect(plan.options.attributes);
  const shared = startInHost(host, plan);
  if (spans.hasReceived(shared.span)) return shared;
  hostTracer.isForeign = shared.span.isRecording();
  return null;
}

/**
 * The parent of a span of ours: the one that the identity names, else the enclosing step, else the active span of the
 * program. Nothing else is taken from the program's context, where tracing may be suppressed.
 */
function ownParent({ named, enclosing, options }: Plan): Context {
  if (options.root) return ROOT_CONTEXT;
  if (named !== null) return trace.setSpanContext(ROOT_CONTEXT, named);
  const parent = enclosing ?? trace.getActiveSpan();
  return parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent);
}

function namedParent({ traceparent }: KnownIdentity): SpanContext | null {
  if (traceparent === undefined) return null;
  const parent = guarded('traceparent', null, () => parseTraceparent(traceparent));
  if (parent === null) countFault('traceparent');
  return parent;
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

/** Cached tracer of the registered SDK, looked up again only when another one is registered. */
class HostTracer {
  #provider: unknown = null;
  #tracer: Tracer | null = null;
  /** Whether the registered SDK is known not to give its spans to the recorder. */
  isForeign = false;

  /**
   * Until an SDK is registered, the proxy tracer of the API; it is not cached, since it may delegate to a later SDK.
   */
  get(): Tracer {
    const registered = trace.getTracerProvider();
    const provider = hasDelegate(registered) ? registered.getDelegate() : registered;
    if (this.#tracer !== null && provider === this.#provider) return this.#tracer;
    const { name, version, schemaUrl } = INSTRUMENTATION_SCOPE;
    const tracer = registered.getTracer(name, version, { schemaUrl });
    this.isForeign &&= provider === this.#provider;
    this.#provider = provider;
    this.#tracer = tracer instanceof ProxyTracer ? null : tracer;
    return tracer;
  }
}
const hostTracer = new HostTracer();

/** The API's global provider is a proxy for the registered one. */
const hasDelegate = (
  provider: TracerProvider,
): provider is TracerProvider & { getDelegate(): TracerProvider } =>
  'getDelegate' in provider && typeof provider.getDelegate === 'function';
