import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ALERTS } from '#dashboards/rules/alerts';
import { JOB, series } from '#dashboards/rules/promql';
import { RECORDED_SERIES } from '#dashboards/rules/recording';
import { findFreePort, LOOPBACK } from '#database/embedded/free-port';
import { METRICS } from '#semconv/metrics';
import { runDemonstration, testConfig, type TestDemonstration } from '../end-to-end/support/demonstration.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { EMPTY_ALWAYS, EMPTY_SOMETIMES } from './support/empty-when-fine.ts';
import { interpolate, readPanelExpressions } from './support/panel-expressions.ts';
import { hasProgram, promtool, tellSkipped } from './support/programs.ts';
import { startPrometheus, type PrometheusServer } from './support/prometheus-server.ts';

const GENERATED = join(import.meta.dirname, '..', '..', 'dashboards', 'generated');
const RULE_FILES = ['recording', 'alerts'].map((name) => join(GENERATED, `${name}.rules.yaml`));
const RECORDING_RULES = [...RECORDED_SERIES.values()];
const PANELS = readPanelExpressions(GENERATED);
/** Fifteen days of waiting become half a minute: the state of an open run is read and scraped several times. */
const DELAY_FACTOR = '0.00002';
const MINERS = 16;
/** What Grafana makes of the range and the width of a panel. */
const MACROS = { __rate_interval: '5s', __range: '1m', __interval: '1s' };
/** Time-out for Prometheus to have scraped the final values. */
const PATIENCE = { timeout: 30_000, interval: 200 };

const isThere = hasProgram('prometheus') && hasProgram('promtool');
if (!isThere) tellSkipped('the test of metrics, panels and rules', 'prometheus');

/** Somebody who takes traces: a span that nobody has is the exemplar of nothing. */
async function acceptTraces() {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { url: `http://${LOOPBACK}:${port}/v1/traces`, close };
}

describe.skipIf(!isThere)('A recorded run in Prometheus', () => {
  let database: TestDatabase;
  let prometheus: PrometheusServer;
  let shown: TestDemonstration;
  let start: number;
  let failing = 0;
  let exemplars = 0;
  /** In the order of opening; a failure half-way leaves nothing open. */
  const resources: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    resources.push(() => database.drop());
    const port = String(await findFreePort());
    prometheus = await startPrometheus({ target: `${LOOPBACK}:${port}`, ruleFiles: RULE_FILES });
    resources.push(() => prometheus.close());
    start = Date.now() / 1000;
    const traces = await acceptTraces();
    resources.push(traces.close);
    // For the exporter, which reads its settings by itself.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', traces.url);
    const config = testConfig(database.connectionString, {
      BAROGRAPH_METRICS_PORT: port,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.url,
      BAROGRAPH_DELAY_FACTOR: DELAY_FACTOR,
    });
    shown = await runDemonstration(config, { miners: MINERS, seed: 1 });
    resources.push(() => shown.run.close());
    await vi.waitFor(async () => expect(await forecastsInPrometheus()).toBe(MINERS), PATIENCE);
    // What the last steps made is recorded by the evaluations that follow its scrape.
    const scrapedAt = Date.now();
    await vi.waitFor(async () => {
      const evaluations = (await prometheus.rules()).map(({ lastEvaluation }) => Date.parse(lastEvaluation));
      expect(Math.min(...evaluations)).toBeGreaterThan(scrapedAt);
    }, PATIENCE);
  });
  afterAll(async () => {
    const { panels, expressions, dashboards } = PANELS;
    console.log(
      `prometheus: ${dashboards} dashboards, ${panels} panels, ${expressions.length} expressions, ` +
        `${RECORDING_RULES.length} rules, ${ALERTS.length} alerts, ${exemplars} exemplars; ${failing} failing`,
    );
    for (const close of resources.reverse()) await close();
    vi.unstubAllEnvs();
  });

  /** Up to the second that has begun, whose instants a range by seconds would leave out. */
  const soFar = () => ({ start, end: Date.now() / 1000 + 1 });

  async function forecastsInPrometheus(): Promise<number | undefined> {
    const ended = [METRICS.minerSuccessfulForecasts, METRICS.minerFailedForecasts].map((metric) =>
      series(metric),
    );
    const [total] = await prometheus.query(`sum(${ended.join(') + sum(')})`);
    return total?.values[0];
  }

  /** What a person who opened the dashboards would have chosen: the run, and a miner that failed and was scored. */
  async function chosen(): Promise<Readonly<Record<string, string>>> {
    const { rows } = await database.pool.query<{ validator: string; miner: string }>(
      `select validator_id::text as validator, miner_hotkey as miner from miner_stats
       where common_errors <> '{}' and avg_inference_time is not null order by miner_uid limit 1`,
    );
    const run = String(shown.run.report.run.id);
    return { ...rows[0], run, jaeger: 'http://localhost:16686', ...MACROS };
  }

  /** The expressions that fail, and those that give no series at any instant of the run. */
  async function evaluateAll(expressions: readonly string[]) {
    const [failed, empty]: [string[], string[]] = [[], []];
    for (const expression of expressions) {
      try {
        const answer = await prometheus.queryRange(expression, soFar());
        if (answer.length === 0) empty.push(expression);
      } catch (error) {
        failed.push(String(error));
      }
    }
    failing += failed.length;
    return { failed, empty };
  }

  it('the run is scraped as OpenMetrics, and promtool accepts the classic text without a warning', async () => {
    expect((await prometheus.query(`up{job="${JOB}"}`)).map(({ values }) => values)).toEqual([[1]]);
    const text = await (await fetch(shown.run.report.where.metrics ?? '')).text();
    const { code, output } = promtool(['check', 'metrics'], text);
    expect({ code, output }).toEqual({ code: 0, output: '' });
  });

  it('every panel expression is valid, and has series unless a run without faults leaves it empty', async () => {
    const values = await chosen();
    const expressions = PANELS.expressions.map(({ expression }) => interpolate(expression, values));
    const { failed, empty } = await evaluateAll(expressions);
    expect(failed).toEqual([]);
    const isOf = (names: readonly string[]) => (expression: string) =>
      names.some((name) => expression.includes(name));
    expect(empty.filter((expression) => !isOf([...EMPTY_ALWAYS, ...EMPTY_SOMETIMES])(expression))).toEqual(
      [],
    );
    // An unused exception would hide a broken panel.
    const withDefault = (expression: string) => expression.includes(' or vector(');
    const bare = expressions.filter(
      (expression) => isOf(EMPTY_ALWAYS)(expression) && !withDefault(expression),
    );
    expect(empty.filter(isOf(EMPTY_ALWAYS))).toEqual(bare);
  });

  it('every rule is loaded, and none of them fails', async () => {
    const loaded = await prometheus.rules();
    expect(loaded.filter(({ type }) => type === 'recording')).toHaveLength(RECORDING_RULES.length);
    expect(loaded.filter(({ type }) => type === 'alerting')).toHaveLength(ALERTS.length);
    const broken = loaded.filter(({ health, lastError = '' }) => health !== 'ok' || lastError !== '');
    failing += broken.length;
    expect(broken).toEqual([]);
  });

  it('every recording rule yields series, with the labels that it declares', async () => {
    const { failed, empty } = await evaluateAll(RECORDING_RULES.map(({ record }) => record));
    failing += empty.length;
    expect({ failed, empty }).toEqual({ failed: [], empty: [] });
    for (const { record, labels } of RECORDING_RULES) {
      const [first] = await prometheus.queryRange(record, soFar());
      const found = Object.keys(first?.labels ?? {}).filter((label) => label !== '__name__');
      expect(found.sort(), record).toEqual([...labels].sort());
    }
  });

  it('every alert is evaluated', async () => {
    expect((await evaluateAll(ALERTS.map(({ expr }) => expr))).failed).toEqual([]);
  });

  it('the tampering alert fires for the miner that tampers, with its texts filled in', async () => {
    const tampering = shown.run.report.miners.filter(({ profile }) => profile === 'tampering');
    expect(tampering).toHaveLength(1);
    const alerts = await prometheus.alerts();
    const found = alerts.filter(({ labels }) => labels['alertname'] === 'BarographHashTampering');
    expect(found).toMatchObject([{ state: 'firing', labels: { miner_hotkey: tampering[0]?.hotkey } }]);
    for (const { annotations } of alerts)
      expect(Object.values(annotations).filter((text) => /<error|<no value>|%!/.test(text))).toEqual([]);
  });

  it('the exemplars have traces that are in the log', async () => {
    const labels = await prometheus.exemplars(`${METRICS.stepDuration.name}_bucket`, soFar());
    exemplars = labels.length;
    expect(exemplars).toBeGreaterThan(20);
    const traceIds = [...new Set(labels.map(({ trace_id: traceId }) => traceId))];
    const { rows } = await database.pool.query<{ traceId: string }>(
      'select distinct trace_id as "traceId" from weather_forecast_steps where trace_id = any ($1)',
      [traceIds],
    );
    expect(rows.map(({ traceId }) => traceId).sort()).toEqual([...traceIds].sort());
  });
});
