import { createContextKey, trace, type Context, type Span } from '@opentelemetry/api';

const SCOPE_KEY = createContextKey('barograph: the scope of steps');

/** The scope of a context; undefined when none was set. */
export const scopeIn = (active: Context): unknown => active.getValue(SCOPE_KEY);

/** The context with another scope. */
export const withScope = (active: Context, scope: object): Context => active.setValue(SCOPE_KEY, scope);

/** The context with a span and a scope of its own. */
export const withSpanAndScope = (active: Context, span: Span, scope: object): Context =>
  new ScopeContext(active instanceof ScopeContext ? active.around : active, span, scope);

/** OTel's private span context key, discovered with a probe context; the API does not export it. */
const SPAN_KEY = ((): symbol | null => {
  let spanKey: symbol | null = null;
  const listener: Context = {
    getValue: () => undefined,
    deleteValue: () => listener,
    setValue: (key) => {
      spanKey = key;
      return listener;
    },
  };
  trace.setSpan(listener, trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }));
  return spanKey;
})();

/**
 * Context overlay: two own values over a base context. Every call of every step creates one; OpenTelemetry's own
 * context would copy all values for each that is set, and create three functions.
 */
class ScopeContext implements Context {
  readonly around: Context;
  readonly #span: unknown;
  readonly #scope: unknown;

  /** @param around never itself a ScopeContext, so that nested steps do not keep a chain of contexts in memory */
  constructor(around: Context, span: unknown, scope: unknown) {
    this.around = around;
    this.#span = span;
    this.#scope = scope;
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.#span;
    return key === SCOPE_KEY ? this.#scope : this.around.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    if (key === SPAN_KEY) return new ScopeContext(this.around, value, this.#scope);
    if (key === SCOPE_KEY) return new ScopeContext(this.around, this.#span, value);
    return new ScopeContext(this.around.setValue(key, value), this.#span, this.#scope);
  }

  deleteValue(key: symbol): Context {
    if (key === SPAN_KEY || key === SCOPE_KEY) return this.setValue(key, undefined);
    return new ScopeContext(this.around.deleteValue(key), this.#span, this.#scope);
  }
}
