import { Server } from 'node:http';
import pg from 'pg';
import { context, diag, propagation, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { suppressTracing } from '@opentelemetry/core';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type Sampler,
  type SpanLimits,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { startRecording, type Recording, type RecordingOptions } from '#recorder/recording';
import { readConfig } from '#src/config';
import { currentTraceparent, instrumentationFaults, step, withIdentity, type StepEvent } from '#steps';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

/** The program's own OpenTelemetry. */
class Host {
  readonly exporter = new InMemorySpanExporter();
  readonly #provider: TracerProvider;

  constructor({
    processors = [],
    ...options
  }: { processors?: SpanProcessor[]; sampler?: Sampler; spanLimits?: SpanLimits } = {}) {
    const spanProcessors = [...processors, new SimpleSpanProcessor({ exporter: this.exporter })];
    this.#provider = new TracerProvider({ spanProcessors, ...options });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(this.#provider);
  }

  request<Result>(work: () => Result): Result {
    return trace.getTracer('host').startActiveSpan('request', (span) => {
      const result = work();
      span.end();
      return result;
    });
  }

  get names(): readonly string[] {
    return this.exporter.getFinishedSpans().map(({ name }) => name);
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}

let run = 0;
const identity = () => ({
  runId: run,
  minerUid: 7,
  minerHotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  initTime: new Date('2026-11-23T00:00:00Z'),
});
const inner = step({ name: 'verify', substep: 'manifest', identity }, () =>
  trace.getActiveSpan()?.spanContext(),
);
const outer = step({ name: 'query', substep: 'initiate_fetch', identity }, () => ({
  active: inner()?.spanId,
  own: currentTraceparent(),
}));

const open: Recording[] = [];
const problems: string[] = [];
async function record(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<RecordingOptions> = {},
): Promise<Recording> {
  const config = readConfig({
    DATABASE_URL: database.connectionString,
    BAROGRAPH_DATA_DIR: testDataDirectory(),
    BAROGRAPH_METRICS_PORT: '0',
    ...environment,
  });
  const recording = await startRecording({
    metricsServer: true,
    config,
    validatorHotkey: '5Validator',
    onProblem: (message) => problems.push(message),
    ...options,
  });
  open.push(recording);
  return recording;
}
beforeEach(() => void (run += 1));
afterEach(async () => {
  for (const recording of open.splice(0)) await recording.close();
  for (const api of [trace, context, propagation]) api.disable();
});

interface Row {
  readonly trace: string;
  readonly span: string;
  readonly parent: string | null;
  readonly sampled: boolean | null;
}

/** The rows of the outer and the inner step. */
async function recorded(): Promise<readonly [Row | undefined, Row | undefined, ...Row[]]> {
  const { rows } = await database.pool.query<Row>(
    `select trace_id as trace, span_id as span, parent_span_id as parent, trace_sampled as sampled
     from weather_forecast_steps
     where run_id = $1 order by step_name = 'verify'`,
    [run],
  );
  return [rows[0], rows[1], ...rows.slice(2)];
}

async function expectNested(): Promise<Row | undefined> {
  const [first, second, ...more] = await recorded();
  expect(more).toEqual([]);
  expect(first?.span).toMatch(/^[0-9a-f]{16}$/);
  expect(second).toMatchObject({ trace: first?.trace, parent: first?.span });
  return first;
}

describe('a recording in a program with an OpenTelemetry of its own', () => {
  it('rows carry the trace of the program, whose own spans, context and exporter stay what they were', async () => {
    const host = new Host();
    const recording = await record();
    const { active, spanId, traceId } = host.request(() => ({
      ...trace.getActiveSpan()?.spanContext(),
      ...outer(),
    }));
    await recording.close();
    expect(await expectNested()).toMatchObject({ trace: traceId, parent: spanId, sampled: true });
    expect(active, 'a span of ours would be a parent that is never exported').toBe(spanId);
    host.request(() => expect(trace.getActiveSpan()?.isRecording()).toBe(true));
    expect(host.names).toEqual(['request', 'request']);
  });

  it('steps are recorded once, as parent and child, when the program registers an SDK later, or none', async () => {
    const recording = await record();
    outer();
    await recording.flush();
    expect(await expectNested()).toMatchObject({ parent: null, sampled: false });
    run += 1;
    const host = new Host();
    host.request(() => outer());
    await recording.flush();
    expect((await expectNested())?.parent).toBe(host.exporter.getFinishedSpans()[0]?.spanContext().spanId);
    expect(host.names).toEqual(['request']);
  });

  it('steps are recorded where the program suppresses tracing or samples its spans out', async () => {
    const host = new Host({ sampler: new AlwaysOffSampler() });
    const recording = await record();
    context.with(suppressTracing(context.active()), () => outer());
    await recording.flush();
    await expectNested();
    run += 1;
    const { own = '' } = host.request(() => outer());
    expect(Number(own.slice(-2)) & TraceFlags.SAMPLED, 'and the trace is not exported').toBe(0);
    await recording.flush();
    expect(await expectNested()).toMatchObject({ sampled: false });
  });

  it('a program that gives our processor its spans has the steps in its traces, each recorded once', async () => {
    const recording = await record();
    const host = new Host({ processors: [recording.spanProcessor] });
    const { active, own } = host.request(() => outer());
    await recording.flush();
    const first = await expectNested();
    expect(host.names).toEqual(['verify manifest', 'query initiate_fetch', 'request']);
    const [verify, query] = host.exporter.getFinishedSpans();
    expect(query?.spanContext().spanId).toBe(first?.span);
    expect([active, own]).toEqual([
      verify?.spanContext().spanId,
      `00-${first?.trace ?? ''}-${first?.span ?? ''}-01`,
    ]);
    const { rows } = await recording.pool.query<{ hotkey: string }>(
      `select distinct hotkey from weather_forecast_steps join validators validator on validator_id = validator.id where run_id = $1`,
      [run],
    );
    expect(rows).toEqual([{ hotkey: '5Validator' }]);
    run += 1;
    await host.shutdown();
    trace.disable();
    outer();
    await recording.flush();
    await expectNested();
  });

  it('a processor that the program takes and samples out, or leaves out of its SDK, costs no step', async () => {
    const recording = await record();
    const sampled = new Host({ processors: [recording.spanProcessor], sampler: new AlwaysOffSampler() });
    outer();
    await recording.flush();
    await expectNested();
    expect(sampled.names).toEqual([]);
    for (const api of [trace, context]) api.disable();
    run += 1;
    const without = new Host();
    without.request(() => outer());
    await recording.flush();
    await expectNested();
    expect(without.names).toEqual(['request']);
  });

  it('a program that exports its spans by our exporter has each step recorded once', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const host = new Host({ processors: [new SimpleSpanProcessor({ exporter })] });
    host.request(() => withIdentity({ validatorHotkey: '5Validator' }, outer));
    expect(host.names).toEqual(['verify manifest', 'query initiate_fetch', 'request']);
    await host.shutdown();
    const [first, second] = await recorded();
    expect(second).toMatchObject({ trace: first?.trace, parent: first?.span });
  });

  it('an SDK of the program that cuts attributes gets no steps: they are recorded whole by ours', async () => {
    const recording = await record();
    for (const spanLimits of [{ attributeValueLengthLimit: 24 }, { attributeCountLimit: 4 }]) {
      run += 1;
      const host = new Host({ processors: [recording.spanProcessor], spanLimits });
      host.request(() => outer());
      await recording.flush();
      await expectNested();
      expect(host.names).toEqual(['request']);
      for (const api of [trace, context]) api.disable();
    }
  });

  it('a hotkey that an SDK without our processor cuts is refused, and never that of another miner', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const processors = [new SimpleSpanProcessor({ exporter })];
    const host = new Host({ processors, spanLimits: { attributeValueLengthLimit: 24 } });
    withIdentity({ validatorHotkey: '5Val' }, inner);
    await host.shutdown();
    expect(await recorded()).toEqual([undefined, undefined]);
    const { rows } = await database.pool.query(
      'select reason, detail from dead_letter_spans where run_id = $1',
      [run],
    );
    expect(rows).toMatchObject([
      { detail: expect.stringContaining('weather.miner.hotkey is missing') as unknown },
    ]);
  });

  it('limits of OpenTelemetry in the environment cut nothing that is recorded, and are named once', async () => {
    const limits = {
      OTEL_SPAN_EVENT_COUNT_LIMIT: '8',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '24',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '4',
    };
    for (const [name, value] of Object.entries(limits)) vi.stubEnv(name, value);
    const recording = await record(limits);
    const day1 = () => ({ ...identity(), leadHours: 6 });
    const score = step(
      {
        name: 'day1',
        substep: 'score',
        identity: day1,
        outcome: (events: readonly StepEvent[]) => ({ status: 'succeeded', events }),
      },
      (count: number): readonly StepEvent[] =>
        Array.from({ length: count }, (_, index) => ({
          name: 'weather.component_score',
          attributes: {
            'weather.component.score_type': 'day1',
            'weather.component.variable_name': 't',
            'weather.component.pressure_level': index + 1,
            'weather.component.valid_time': '2026-11-23T06:00:00Z',
            'weather.component.rmse': 0.5,
          },
        })),
    );
    score(200);
    await recording.flush();
    const { rows } = await database.pool.query(
      'select from weather_forecast_component_scores where run_id = $1',
      [run],
    );
    expect(
      (await database.pool.query('select detail from dead_letter_spans where run_id = $1', [run])).rows,
    ).toEqual([]);
    expect(rows).toHaveLength(200);
    expect(problems.filter((problem) => problem.includes('OTEL_SPAN_EVENT_COUNT_LIMIT=8'))).toHaveLength(1);
    vi.unstubAllEnvs();
  });
});

describe('a recording in a program that instruments its database client and its servers', () => {
  const { query } = pg.Client.prototype;
  const { emit } = Server.prototype;
  afterEach(() => {
    pg.Client.prototype.query = query;
    Server.prototype.emit = emit;
  });

  /** As the instrumentations of pg and http do. */
  function instrument(): void {
    const traced = (name: string, target: (...args: never[]) => unknown) =>
      function (this: unknown, ...args: never[]) {
        if (name !== 'request' || (args[0] as unknown) === name)
          trace.getTracer('host').startSpan(name).end();
        return Reflect.apply(target, this, args) as unknown;
      };
    pg.Client.prototype.query = traced('pg', query) as typeof query;
    Server.prototype.emit = traced('request', emit) as typeof emit;
  }

  /** Work that began before the SDK was registered cannot be suppressed; it ends without any that follows. */
  async function whatIsInFlight({ exporter }: Host): Promise<void> {
    let known = -1;
    const isQuiet = () => {
      const spans = exporter.getFinishedSpans().length;
      const isSame = spans === known;
      known = spans;
      return isSame;
    };
    await expect.poll(isQuiet, { interval: 300, timeout: 10_000 }).toBe(true);
    exporter.reset();
  }

  it.each(['before', 'after'] as const)(
    'batches, polls and scrapes make no spans of a program that registers its SDK %s the recording starts',
    async (order) => {
      instrument();
      const first = order === 'before' ? new Host() : null;
      const recording = await record({}, { refreshMillis: 5 });
      expect(first?.names ?? []).toEqual([]);
      const host = first ?? new Host();
      await whatIsInFlight(host);
      outer();
      await recording.flush();
      const scrape = async () => (await fetch(recording.metricsUrl ?? '')).text();
      const readAt = async () => /^barograph_state_read_timestamp_seconds (\S+)/m.exec(await scrape())?.[1];
      const before = await readAt();
      await expect.poll(readAt, { timeout: 20_000 }).not.toBe(before);
      expect((await fetch(recording.metricsUrl?.replace('/metrics', '/readyz') ?? '')).status).toBe(200);
      await recording.close();
      expect(host.names).toEqual([]);
      await database.pool.query('select');
      expect(host.names, 'what the program itself asks is traced').toEqual(['pg']);
    },
  );
});

describe('a step that cannot be recorded', () => {
  it('a step without a run is said to the program once, with what is missing and where to give it', async () => {
    await record();
    problems.length = 0;
    const lost = step({ name: 'verify' }, () => undefined);
    lost();
    lost();
    for (const recording of open.splice(0)) await recording.close();
    expect(problems).toEqual([
      'A step "verify manifest" is not recorded: weather.run.id is missing; weather.miner.hotkey is missing. It is kept as ' +
        'a dead letter. Give what is missing in the identity of its definition, or around its call by withIdentity.',
    ]);
  });

  it('a step where nothing records says so once, to the diagnostics of OpenTelemetry and in instrumentationFaults', () => {
    const warnings: string[] = [];
    const ignore = () => undefined;
    const warn = (message: string) => void warnings.push(message);
    diag.setLogger({ debug: ignore, error: ignore, info: ignore, verbose: ignore, warn });
    outer();
    outer();
    diag.disable();
    expect(warnings.filter((warning) => warning.includes('nothing records it'))).toHaveLength(1);
    expect(instrumentationFaults().unrecorded).toBe(1);
  });
});

describe('a program whose OpenTelemetry was registered by another copy of the API', () => {
  const registry = Symbol.for('opentelemetry.js.api.1');

  it('a copy that ours cannot share is named once, and the steps are recorded all the same', async () => {
    problems.length = 0;
    Reflect.set(globalThis, registry, { version: '1.4.1', trace: { getTracer: () => undefined } });
    const recording = await record({}, { refreshMillis: 5 });
    outer();
    await recording.flush();
    await expectNested();
    const named = () => problems.filter((problem) => problem.includes('@opentelemetry/api 1.4.1'));
    await expect.poll(named, { timeout: 20_000 }).toHaveLength(1);
    await recording.close();
    expect(named()).toHaveLength(1);
    Reflect.deleteProperty(globalThis, registry);
  });
});
