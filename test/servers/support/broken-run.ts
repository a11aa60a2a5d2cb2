import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { paceOf, type Paces } from '#dashboards/rules/pace';
import { renderAlertRules, renderRecordingRules } from '#scripts/rule-files';
import { spansAtEnd, type SpansAtEnd } from '#commands/terminal/exit-report';
import { startFleet, type FleetMiner, type Profile } from '#fleet';
import type { PipelineStores } from '#pipeline';
import { startBarograph } from '#src/start';
import { makeSimulatedForecast } from '#world';
import { testConfig } from '#test/end-to-end/support/demonstration';
import { allowReader } from '#scripts/dashboards/reader';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import type { BrokenWorld } from './broken-world.ts';
import { startPrometheus, type ActiveAlert, type PrometheusServer } from './prometheus-server.ts';

/** Scored leads, hours. */
const LEADS: readonly number[] = [24, 48];
const DAY1_LEAD = 12;
const SEED = 7;
/** Simulated miners answer at once. */
const TIMEOUTS = { initiateFetch: 5000, poll: 5000, token: 5000 };
/** The state is read at a matching rate, so that a run on scaled time is not judged by an outdated state. */
const REFRESH_MILLIS = 300;
const PATIENCE = { timeout: 120_000, interval: 200 };

/** The fault, and the time scale of the run. */
export interface BrokenRunOptions {
  readonly world: BrokenWorld;
  /** The part of each miner, by UID. */
  readonly profiles: readonly Profile[];
  /** Scored leads, hours; those whose truth is there already unless told otherwise. */
  readonly leads?: readonly number[];
  /** The stores that are not as they should be. */
  readonly stores?: Partial<PipelineStores>;
  /** A part of the time of production, for the waits of the pipeline and for the rules about it. */
  readonly pipelinePace: number;
  /** Scale of the recorder's limits only; the recorder itself runs in real time. */
  readonly recorderPace: number;
}

/** A run under way, with its database and a Prometheus that scrapes it and holds the rules. */
export interface BrokenRun {
  readonly runId: number;
  readonly miners: readonly FleetMiner[];
  readonly database: TestDatabase;
  readonly prometheus: PrometheusServer;
  /** Waits until the alert fires. @returns everything that fires then */
  readonly untilFiring: (alert: string) => Promise<readonly ActiveAlert[]>;
  readonly untilResolved: (alert: string) => Promise<void>;
  /** Names of the alerts that have fired so far, whether or not they still do. */
  readonly firedSoFar: () => Promise<readonly string[]>;
  /** Waits until the run is over. @returns its status */
  readonly ended: () => Promise<string>;
  /** Ends the run as Ctrl-C in `barograph run` does. */
  readonly abandon: () => Promise<void>;
  /** Shuts the process down gracefully. @returns the report on its records */
  readonly close: () => Promise<SpansAtEnd>;
}

/** Starts a run with something broken; `prepare` breaks what lies in the database. Everything is closed when the test ends. */
export async function startBrokenRun(
  options: BrokenRunOptions,
  prepare: (database: TestDatabase) => Promise<void> = () => Promise.resolve(),
): Promise<BrokenRun> {
  const { world } = options;
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await allowReader(database.pool);
  await prepare(database);
  const fleet = await startMiners(options);
  onTestFinished(() => fleet.close());
  const barograph = await startBarograph({
    config: testConfig(database.connectionString),
    validatorHotkey: 'validator',
    metricsServer: true,
    stores: { ...world.stores, ...options.stores },
    delayFactor: options.pipelinePace,
    queuePollMillis: 100,
    minerTimeouts: TIMEOUTS,
    refreshMillis: REFRESH_MILLIS,
    onProblem: () => undefined,
  });
  onTestFinished(async () => {
    await barograph.close();
  });
  const { pipeline, recording } = barograph;
  const start = Date.now() / 1000;
  const prometheus = await watchedBy(new URL(recording.metricsUrl ?? '').host, {
    pipeline: paceOf(options.pipelinePace),
    recorder: paceOf(options.recorderPace),
  });
  const runId = await pipeline.createRun({
    validatorHotkey: 'validator',
    initTime: world.initTime,
    miners: fleet.miners,
    leads: options.leads ?? LEADS,
    day1Lead: DAY1_LEAD,
  });
  await pipeline.start();
  return {
    runId,
    miners: fleet.miners,
    database,
    prometheus,
    ...watchAlerts(prometheus, start),
    ended: async () => {
      await pipeline.finished(runId);
      return (await pipeline.progress(runId)).status;
    },
    abandon: async () => {
      const why = { category: 'validator_internal', reason: 'The user ended it before its time.' } as const;
      await pipeline.abandonRuns('%', why);
    },
    close: async () => {
      await barograph.close();
      return spansAtEnd(recording);
    },
  };
}

function startMiners({ world, profiles, leads = LEADS }: BrokenRunOptions) {
  const { initTime, stores } = world;
  return startFleet({
    count: profiles.length,
    seed: SEED,
    initTime,
    delayFactor: 0.1,
    profiles,
    forecastFor: ({ quality, seed }) =>
      makeSimulatedForecast({
        ...stores,
        initTime,
        leads: [DAY1_LEAD, ...leads],
        quality,
        seed,
        zarrFormat: 2,
        corruption: 'none',
      }),
  });
}

/** Starts Prometheus with the rules at these paces; it is closed when the test ends. */
async function watchedBy(target: string, paces: Paces): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-rules-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const ruleFiles = [join(folder, 'recording.rules.yaml'), join(folder, 'alerts.rules.yaml')] as const;
  await writeFile(ruleFiles[0], renderRecordingRules(paces));
  await writeFile(ruleFiles[1], renderAlertRules(paces));
  const prometheus = await startPrometheus({ target, ruleFiles });
  onTestFinished(() => prometheus.close());
  return prometheus;
}

function watchAlerts(prometheus: PrometheusServer, start: number) {
  const firing = async (): Promise<readonly ActiveAlert[]> =>
    (await prometheus.alerts()).filter(({ state }) => state === 'firing');
  const isFiring = (alerts: readonly ActiveAlert[], name: string): boolean =>
    alerts.some(({ labels }) => labels['alertname'] === name);
  return {
    untilFiring: (name: string) =>
      vi.waitFor(async () => {
        const alerts = await firing();
        if (!isFiring(alerts, name)) throw new Error(`${name} does not fire`);
        return alerts;
      }, PATIENCE),
    untilResolved: (name: string) =>
      vi.waitFor(async () => {
        if (isFiring(await firing(), name)) throw new Error(`${name} still fires`);
      }, PATIENCE),
    firedSoFar: async () => {
      // Up to the second that has begun, whose instants a range by seconds would leave out.
      const end = Date.now() / 1000 + 1;
      const fired = await prometheus.queryRange('ALERTS{alertstate="firing"}', { start, end });
      return [...new Set(fired.map(({ labels }) => labels['alertname'] ?? ''))].sort();
    },
  };
}
