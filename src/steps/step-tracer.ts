import { ProxyTracer, trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';

/** The tracer of steps, asked for again only when another SDK is registered. */
export class StepTracer {
  #provider: unknown = null;
  #tracer: Tracer | null = null;

  /** Until an SDK is registered, the stand-in of the API; it is not kept, for it may come to stand for another SDK. */
  get(): Tracer {
    const registered = trace.getTracerProvider();
    const provider = hasDelegate(registered) ? registered.getDelegate() : registered;
    if (this.#tracer !== null && provider === this.#provider) return this.#tracer;
    const { name, version, schemaUrl } = INSTRUMENTATION_SCOPE;
    const tracer = registered.getTracer(name, version, { schemaUrl });
    this.#provider = provider;
    this.#tracer = tracer instanceof ProxyTracer ? null : tracer;
    return tracer;
  }
}

/** The provider of the API stands for the one that is registered. */
const hasDelegate = (
  provider: TracerProvider,
): provider is TracerProvider & { getDelegate(): TracerProvider } =>
  'getDelegate' in provider && typeof provider.getDelegate === 'function';
