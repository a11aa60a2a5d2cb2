// What the programs of the scratch projects share: the OpenTelemetry of a program, and steps that are recorded beside it.
const { context, propagation, trace } = require('@opentelemetry/api');
const { currentTraceparent, step } = require('barograph');

/** The first run that a program records; it counts on from there. */
const RUN = Number(process.env.RUN);

/** The lines of OpenTelemetry's SDK, each where its project installed it. */
const SDKS = {
  1: () => ({ ...require('sdk-trace-1'), ...require('context-1') }),
  2: () => ({
    ...require('@opentelemetry/sdk-trace-node'),
    ...require('@opentelemetry/context-async-hooks'),
  }),
  3: () => ({ ...require('@opentelemetry/sdk-trace'), ...require('@opentelemetry/context-async-hooks') }),
};

/** Registers the SDK of a program, as its documentation says, with an exporter whose spans can be looked at. */
function startHost({ sdk = '2', processors = [], exporters = [], ...options } = {}) {
  const all = SDKS[sdk]();
  const Provider = all.NodeTracerProvider ?? all.BasicTracerProvider ?? all.TracerProvider;
  const exporter = new all.InMemorySpanExporter();
  const simple = [exporter, ...exporters].map(
    (each) => new all.SimpleSpanProcessor(sdk === '3' ? { exporter: each } : each),
  );
  const provider = new Provider({ spanProcessors: [...processors, ...simple], ...options });
  if (all.NodeTracerProvider === undefined) {
    context.setGlobalContextManager(new all.AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
  } else provider.register();
  return { exporter, provider };
}

/** A request to the program: steps below an active span of its own. */
function request(work) {
  return trace.getTracer('host').startActiveSpan('request', async (span) => {
    const active = await work();
    span.end();
    return { ...span.spanContext(), active };
  });
}

/** Two steps, one in the other; gives what OpenTelemetry says is active in the inner one. */
function nested(run, links = []) {
  const identity = () => ({ runId: run, minerHotkey: '5Miner' });
  const inner = step({ name: 'verify', identity }, async () => trace.getActiveSpan()?.spanContext().spanId);
  const outer = step({ name: 'query', identity: () => ({ ...identity(), links }) }, async () => ({
    active: await inner(),
    own: currentTraceparent(),
  }));
  return outer();
}

/** What a program has registered, to be compared by identity. */
const registered = () => [
  trace.getTracerProvider().getDelegate?.() ?? trace.getTracerProvider(),
  context._getContextManager(),
  propagation._getGlobalPropagator(),
];

const namesOf = ({ exporter }) => exporter.getFinishedSpans().map(({ name }) => name);

module.exports = { RUN, namesOf, nested, registered, request, startHost };
