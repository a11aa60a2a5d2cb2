import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ValidationReport } from '#commands/run/validation-report';
import { ERROR_CATEGORIES } from '#semconv';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { runDemonstration, testConfig } from './support/demonstration.ts';
import type { ExportedSpan } from './support/exported-span.ts';
import { openOtlpEndpoint, type OtlpEndpoint } from './support/otlp-endpoint.ts';

/** Every name that a span of the pipeline may have: none holds a number, a miner or a lead. */
const SPAN_NAMES = [
  'aggregate miner_scores',
  'aggregate run_scores',
  'communication forecast_file',
  'communication initiate_fetch',
  'communication kerchunk_request',
  'communication poll_job_status',
  'day1 score',
  'era5 score',
  'forecast.miner',
  'forecast.run',
  'orchestration decision',
  'poll attempt',
  'query initiate_fetch',
  'seed gfs_download',
  'verify manifest',
];

let database: TestDatabase;
let endpoint: OtlpEndpoint;
let report: ValidationReport;
let spans: readonly ExportedSpan[];
beforeAll(async () => {
  [database, endpoint] = await Promise.all([createTestDatabase(), openOtlpEndpoint()]);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint.url);
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test');
  const config = testConfig(database.connectionString, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.url });
  // Four miners of this seed are two good ones, a slow one and a flaky one.
  const { run } = await runDemonstration(config, { miners: 4, seed: 1 });
  await run.close();
  ({ report } = run);
  ({ spans } = endpoint);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await endpoint.close();
  await database.drop();
});

const ofTrace = (traceId: string | null): readonly ExportedSpan[] =>
  spans.filter((span) => span.traceId === traceId);
const rootsOf = (trace: readonly ExportedSpan[]): readonly ExportedSpan[] =>
  trace.filter(({ parentSpanId }) => parentSpanId === null);
const idOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `${traceId} ${spanId}`;

/** Whether every span but the root hangs below another span of the trace. */
function expectOneTree(trace: readonly ExportedSpan[], rootName: string): void {
  const ids = new Set(trace.map(({ spanId }) => spanId));
  expect(rootsOf(trace).map(({ name }) => name)).toEqual([rootName]);
  expect(trace.filter(({ parentSpanId: parent }) => parent !== null && !ids.has(parent))).toEqual([]);
}

describe('the spans that a run sends over OTLP', () => {
  it('the spans of the run that belong to no miner are one tree', () => {
    const trace = ofTrace(report.run.trace_id);
    expectOneTree(trace, 'forecast.run');
    expect(trace.filter(({ attributes }) => 'weather.miner.hotkey' in attributes)).toEqual([]);
    expect(new Set(trace.map(({ name }) => name))).toContain('orchestration decision');
  });

  it('the spans of each miner are one tree whose root links to the trace of the run', () => {
    expect(report.miners).toHaveLength(4);
    const [runRoot] = rootsOf(ofTrace(report.run.trace_id));
    for (const miner of report.miners) {
      const trace = ofTrace(miner.trace_id);
      expectOneTree(trace, 'forecast.miner');
      const [root] = rootsOf(trace);
      expect(root?.links.map(idOf)).toEqual([runRoot && idOf(runRoot)]);
      expect(new Set(trace.map(({ attributes }) => attributes['weather.miner.hotkey']))).toEqual(
        new Set([miner.hotkey]),
      );
      expect(trace.filter(({ name }) => name === 'era5 score').length).toBeGreaterThanOrEqual(10);
    }
  });

  it('every retry links to the previous attempt of its step, miner and lead', () => {
    const byId = new Map(spans.map((span) => [idOf(span), span]));
    const further = spans.filter(
      ({ name, attributes }) =>
        Number(attributes['weather.step.attempt']) > 1 && !name.startsWith('communication'),
    );
    expect(further.some(({ name }) => name === 'query initiate_fetch')).toBe(true);
    expect(further.some(({ name }) => name === 'poll attempt')).toBe(true);
    for (const span of further) {
      const before = span.links.map((link) => byId.get(idOf(link)));
      expect(before, span.name).toHaveLength(1);
      expect(before[0]).toMatchObject({ name: span.name, traceId: span.traceId });
      expect(before[0]?.attributes['weather.lead_hours']).toBe(span.attributes['weather.lead_hours']);
      expect(Number(before[0]?.attributes['weather.step.attempt'])).toBe(
        Number(span.attributes['weather.step.attempt']) - 1,
      );
    }
  });

  it('rows and spans correspond one to one, with the same parent', async () => {
    const { rows } = await database.pool.query<{ id: string; parent: string | null }>(
      `select trace_id || ' ' || span_id as id, parent_span_id as parent from weather_forecast_steps order by id`,
    );
    const exported = spans.map((span) => ({ id: idOf(span), parent: span.parentSpanId }));
    expect(rows.length).toBeGreaterThan(100);
    expect(exported.sort((one, other) => (one.id < other.id ? -1 : 1))).toEqual(rows);
  });

  it('every trace id in a table belongs to an exported span', async () => {
    const traces = new Set(spans.map(({ traceId }) => traceId));
    for (const table of [
      'weather_forecast_runs',
      'weather_forecast_stats',
      'weather_miner_responses',
      'weather_forecast_component_scores',
      'validator_job_logs',
    ]) {
      const { rows } = await database.pool.query<{ trace_id: string }>(
        `select distinct trace_id from ${table}`,
      );
      expect(rows.length, table).toBeGreaterThan(0);
      expect(
        rows.filter(({ trace_id: trace }) => !traces.has(trace)),
        table,
      ).toEqual([]);
    }
  });

  it('failed spans, and only those, have error.type, error status and a message', () => {
    const failed = spans.filter(({ status }) => status.code === 2);
    expect(failed.length).toBeGreaterThan(0);
    for (const { name, status, attributes } of failed) {
      expect(ERROR_CATEGORIES, name).toContain(attributes['error.type']);
      expect(status.message, name).toMatch(/\S/);
      expect(['failed', 'retry_scheduled'], name).toContain(attributes['weather.step.status']);
    }
    const rest = spans.filter(({ status }) => status.code !== 2);
    expect(rest.filter(({ attributes }) => 'error.type' in attributes)).toEqual([]);
    expect(rest.filter(({ attributes }) => attributes['weather.step.status'] === 'failed')).toEqual([]);
  });

  it('calls to miners are client spans, and all others internal', () => {
    const kinds = spans.map(({ name, kind }) => [name.startsWith('communication '), kind]);
    expect(new Set(kinds.map(String))).toEqual(new Set(['true,3', 'false,1']));
  });

  it('span names are a closed list, and the resource names one instance with its version', () => {
    expect([...new Set(spans.map(({ name }) => name))].sort()).toEqual(SPAN_NAMES);
    const resources = new Set(spans.map(({ resource }) => JSON.stringify(resource)));
    expect(resources.size).toBe(1);
    expect(spans[0]?.resource).toEqual({
      'service.name': 'barograph',
      'service.version': INSTRUMENTATION_SCOPE.version,
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      'weather.validator.hotkey': 'demonstration-validator',
      'deployment.environment.name': 'test',
    });
    expect(new Set(spans.map(({ scope }) => JSON.stringify(scope)))).toEqual(
      new Set([JSON.stringify(INSTRUMENTATION_SCOPE)]),
    );
  });
});
