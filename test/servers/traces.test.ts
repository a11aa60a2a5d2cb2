import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ValidationReport } from '#commands/run/validation-report';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import type { ExportedSpan } from '../end-to-end/support/exported-span.ts';
import { runDemonstration, testConfig } from '../end-to-end/support/demonstration.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { readLinkPatterns, readTrace } from './support/jaeger-query.ts';
import { fillIn, fillInPattern, readTraceLinks } from './support/link-templates.ts';
import { eventually } from './support/running-server.ts';
import { findServerPrograms } from './support/server-programs.ts';
import { startTraceServers, type TraceServers } from './support/trace-servers.ts';

const MINERS = 12;
/** Among them a slow, a flaky, a rejecting, an offline and a tampering one. */
const SEED = 7;

const { programs, reason } = findServerPrograms();
if (programs === null) console.warn(reason);

/** What links of dashboards may name. */
interface StepRow {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly run_id: string;
  readonly miner_hotkey: string | null;
  readonly [column: string]: string | null;
}

const idOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `${traceId} ${spanId}`;
const rootsOf = (trace: readonly ExportedSpan[]): readonly ExportedSpan[] =>
  trace.filter(({ parentSpanId }) => parentSpanId === null);

describe.skipIf(programs === null)('Traces of a run in Jaeger, through the Collector', () => {
  let database: TestDatabase;
  let servers: TraceServers;
  let report: ValidationReport;
  let rows: readonly StepRow[];
  const traces = new Map<string, readonly ExportedSpan[]>();
  const counts: Record<string, number> = {};
  let failing = 0;
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failing += 1;
  });
  const traceOf = (traceId: string | null): readonly ExportedSpan[] => traces.get(traceId ?? '') ?? [];

  beforeAll(async () => {
    if (programs === null) return;
    [database, servers] = await Promise.all([createTestDatabase(), startTraceServers(programs)]);
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', servers.collectorUrl);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', `authorization=${encodeURIComponent(servers.authorization)}`);
    const config = testConfig(database.connectionString, {
      OTEL_EXPORTER_OTLP_ENDPOINT: servers.collectorUrl,
    });
    const { run } = await runDemonstration(config, { miners: MINERS, seed: SEED });
    await run.close();
    ({ report } = run);
    ({ rows } = await database.pool.query<StepRow>(
      'select trace_id, span_id, parent_span_id, run_id, miner_hotkey from weather_forecast_steps',
    ));
    await eventually(
      async () => (await servers.collectorMetric('otelcol_exporter_sent_spans')) >= rows.length,
      `the Collector has sent the ${rows.length} spans of the rows`,
    );
    await eventually(async () => {
      for (const id of new Set(rows.map((row) => row.trace_id)))
        traces.set(id, await readTrace(servers.jaegerUrl, id));
      return [...traces.values()].flat().length >= rows.length;
    }, 'Jaeger shows the spans that it was sent');
    counts['traces read from Jaeger'] = traces.size;
    counts['spans in them'] = [...traces.values()].flat().length;
  }, 180_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    if (programs === null) return;
    console.log(
      [...Object.entries(counts), ['failing', failing]].map(([what, count]) => `${count} ${what}`).join('\n'),
    );
    await servers.close();
    await database.drop();
  });

  it('the run is one trace, which holds the spans that belong to no miner', () => {
    const trace = traceOf(report.run.trace_id);
    expectOneTree(trace, 'forecast.run');
    expect(trace.filter(({ attributes }) => 'weather.miner.hotkey' in attributes)).toEqual([]);
    const names = new Set(trace.map(({ name }) => name));
    for (const name of ['orchestration decision', 'seed gfs_download', 'aggregate run_scores'])
      expect(names).toContain(name);
  });

  it('each miner is one trace, whose root is linked to the trace of the run', () => {
    expect(report.miners).toHaveLength(MINERS);
    const [runRoot] = rootsOf(traceOf(report.run.trace_id));
    for (const miner of report.miners) {
      const trace = traceOf(miner.trace_id);
      expectOneTree(trace, 'forecast.miner');
      expect(rootsOf(trace)[0]?.links.map(idOf)).toEqual([runRoot && idOf(runRoot)]);
      expect(new Set(trace.map(({ attributes }) => attributes['weather.miner.hotkey']))).toEqual(
        new Set([miner.hotkey]),
      );
    }
    expect(traces.size).toBe(MINERS + 1);
    counts['trees of miners'] = report.miners.length;
  });

  it('every further attempt is linked to the attempt before', () => {
    const all = [...traces.values()].flat();
    const byId = new Map(all.map((span) => [idOf(span), span]));
    const further = all.filter(
      ({ name, attributes }) =>
        Number(attributes['weather.step.attempt']) > 1 && !name.startsWith('communication'),
    );
    expect(further.length).toBeGreaterThan(10);
    for (const span of further) {
      const [before, ...others] = span.links.map((link) => byId.get(idOf(link)));
      expect(others, span.name).toEqual([]);
      expect(before, span.name).toMatchObject({ name: span.name, traceId: span.traceId });
      expect(Number(before?.attributes['weather.step.attempt'])).toBe(
        Number(span.attributes['weather.step.attempt']) - 1,
      );
    }
    counts['further attempts linked to the one before'] = further.length;
  });

  it('each row has a span and each span a row, below the same parent', () => {
    const spans = [...traces.values()].flat();
    const shown = spans.map((span) => `${idOf(span)} ${span.parentSpanId ?? '-'}`);
    const recorded = rows.map((row) => `${row.trace_id} ${row.span_id} ${row.parent_span_id ?? '-'}`);
    expect(shown.toSorted()).toEqual(recorded.toSorted());
    counts['rows of steps with their span, and spans with their row'] = rows.length;
  });

  it('every row of every table and view that names a trace leads to it', async () => {
    const { rows: columns } = await database.pool.query<{ table: string }>(
      `select table_name as table from information_schema.columns
       where table_schema = 'public' and column_name = 'trace_id' order by 1`,
    );
    expect(columns.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['weather_forecast_runs', 'weather_forecast_stats', 'validator_job_logs']),
    );
    let resolved = 0;
    for (const { table } of columns) {
      const { rows: named } = await database.pool.query<{ trace_id: string; rows: string }>(
        `select trace_id, count(*) as rows from ${table} where trace_id is not null group by 1`,
      );
      expect(
        named.filter((row) => traceOf(row.trace_id).length === 0),
        table,
      ).toEqual([]);
      resolved += named.reduce((sum, row) => sum + Number(row.rows), 0);
    }
    counts[`rows of ${columns.length} tables and views whose trace_id is a trace in Jaeger`] = resolved;
  });

  it('kinds, errors, versions and process of the spans arrive unchanged', () => {
    const spans = [...traces.values()].flat();
    const kinds = spans.map(({ name, kind }) => `${name.startsWith('communication ')} ${kind}`);
    expect(new Set(kinds)).toEqual(new Set(['true 3', 'false 1']));
    const { name, version } = INSTRUMENTATION_SCOPE;
    for (const { scope, resource, status, attributes } of spans) {
      expect(scope).toMatchObject({ name, version });
      expect(resource).toMatchObject({
        'service.name': 'barograph',
        'service.version': INSTRUMENTATION_SCOPE.version,
      });
      expect('error.type' in attributes).toBe(status.code === 2);
    }
  });

  it('each span leads to rows, by the links that Jaeger shows on it', async () => {
    const patterns = await readLinkPatterns(servers.jaegerUrl);
    expect(patterns.map(({ key }) => key)).toEqual(['weather.run.id', 'weather.miner.hotkey']);
    const filled = new Set<string>();
    // Jaeger looks for a tag in the resource of the span, too: there the validator is.
    for (const { attributes, resource } of [...traces.values()].flat())
      for (const { key, url } of patterns.filter((it) => it.key in attributes))
        filled.add(`${key} ${fillInPattern(url, { ...resource, ...attributes })}`);
    for (const link of filled) {
      const parameters = new URL(link.split(' ')[1] ?? '').searchParams;
      const { rowCount } = await database.pool.query(
        `select from weather_forecast_runs runs
         join validators validator on validator.id = runs.validator_id and validator.hotkey = $3
         left join weather_forecast_stats stats
           on (stats.validator_id, stats.run_id, stats.miner_hotkey) = (runs.validator_id, runs.id, $2)
         where runs.id = $1 and ($2::text is null or stats.run_id is not null)`,
        [parameters.get('var-run'), parameters.get('var-miner'), parameters.get('var-validator')],
      );
      expect(rowCount, link).toBe(1);
    }
    expect(filled.size).toBe(MINERS + 1);
    counts['links from traces to rows, filled in and found'] = filled.size;
  });

  const links = readTraceLinks();
  it.skipIf(links.length === 0)(
    'each row leads to its trace, by the links of the dashboards (skipped before they are generated)',
    () => {
      for (const { dashboard, url } of links) {
        for (const row of rows) {
          const filled = new URL(fillIn(url, { ...row, jaeger: servers.jaegerUrl }));
          expect(filled.origin, dashboard).toBe(servers.jaegerUrl);
          const trace = traceOf(filled.pathname.replace('/trace/', ''));
          expect(trace.length, `${dashboard}: ${filled.href}`).toBeGreaterThan(0);
          const wanted = filled.searchParams.get('uiFind');
          if (wanted !== null) expect(trace.map(({ spanId }) => spanId)).toContain(wanted);
        }
      }
      counts['links from rows to traces in the dashboards, each filled in from every row'] = links.length;
    },
  );

  it('the Collector rejects a sender without the token', async () => {
    for (const authorization of ['', 'Bearer wrong']) {
      const response = await send(servers, { authorization, spans: [newSpan()] });
      expect(response.status).toBe(401);
    }
  });

  it('the trace arrives although Jaeger was down and the Collector was killed meanwhile', async () => {
    await servers.stopJaeger();
    const spans = Array.from({ length: 300 }, newSpan);
    for (let from = 0; from < spans.length; from += 50) {
      const { authorization } = servers;
      const response = await send(servers, { authorization, spans: spans.slice(from, from + 50) });
      expect(response.status).toBe(200);
    }
    await eventually(
      async () => (await servers.collectorMetric('otelcol_exporter_queue_size')) >= spans.length,
      'all of them wait in the queue on disk',
    );
    await servers.killCollector();
    await servers.startCollector();
    await servers.startJaeger();
    await eventually(async () => {
      const found = await Promise.all(spans.map(({ traceId }) => readTrace(servers.jaegerUrl, traceId)));
      return found.every((trace) => trace.length === 1);
    }, 'every span that was sent meanwhile is in Jaeger');
    counts['spans sent while Jaeger was away that arrived, after the Collector was killed with them'] =
      spans.length;
  });
});

/** Whether every span but the root hangs below another span of the trace. */
function expectOneTree(trace: readonly ExportedSpan[], rootName: string): void {
  const ids = new Set(trace.map(({ spanId }) => spanId));
  expect(rootsOf(trace).map(({ name }) => name)).toEqual([rootName]);
  expect(trace.filter(({ parentSpanId: parent }) => parent !== null && !ids.has(parent))).toEqual([]);
}

/** A span of a trace of its own, as OTLP/JSON has it. */
function newSpan() {
  const startTimeUnixNano = `${Date.now()}000000`;
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'sent while nobody listens',
    kind: 1,
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano,
  };
}

function send(
  { collectorUrl }: TraceServers,
  { authorization, spans }: { authorization: string; spans: readonly ReturnType<typeof newSpan>[] },
): Promise<Response> {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'test' } }] };
  const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans }] }] };
  return fetch(`${collectorUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
    body: JSON.stringify(body),
  });
}
