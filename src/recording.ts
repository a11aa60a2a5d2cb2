import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createPostgresExporter } from '../exporters/postgres/exporter.ts';
import { readMinerStats } from '../exporters/postgres/tables/read-miner-stats.ts';
import { RecordingSpanProcessor } from '../exporters/processor/recording-span-processor.ts';
import type { ProcessorCounters } from '../exporters/processor/processor-options.ts';
import { createPrometheusExporter, type PrometheusExporter } from '../exporters/prometheus/exporter.ts';
import { withBatchMetrics, type BatchSink } from '../exporters/prometheus/measured-sink.ts';
import { openAll } from './closers.ts';
import type { Config } from './config.ts';
import { connectDatabase } from './database/connect.ts';
import { migrate } from './database/migrate.ts';
import { openDatabaseServer } from './database/open-database-server.ts';
import { startMetricsServer, type MetricsServer } from './http/metrics-server.ts';
import { preparePartitions, startPartitionMaintenance } from './partition-maintenance.ts';
import { createSampler } from './sampler.ts';
import { startTelemetry } from './telemetry.ts';

/** How recording is started. */
export interface RecordingOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  /** Hears of what is in the way but stops nothing. */
  readonly onProblem: (message: string) => void;
}

/** A process that records: database, exporters, metrics and telemetry, all running. */
export interface Recording {
  /** For reading; its connections come from one pool. */
  readonly pool: Pool;
  /** With the password in it. */
  readonly connectionString: string;
  readonly databaseKind: 'given' | 'embedded';
  /** Where `/metrics` answers; null when its port could not be had. */
  readonly metricsUrl: string | null;
  readonly counters: () => ProcessorCounters;
  /** Writes spans of other programs, past the queue of this process; the report comes when they are safe. */
  readonly write: BatchSink['export'];
  /** Resolves when everything that happened so far is in the tables. */
  readonly flush: () => Promise<void>;
  /** Flushes and closes everything, in order. Doing it twice is the same as once. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the database, brings it up to date and starts to record every step of this process.
 *
 * @throws CategorizedError when the database cannot be had or the configuration is wrong; nothing is left open then
 */
export function startRecording(options: RecordingOptions): Promise<Recording> {
  const { config, validatorHotkey, onProblem } = options;
  return openAll(async ({ add, close }) => {
    const sampler = createSampler(config.sampler, config.samplerArgument);
    const server = await openDatabaseServer(config);
    add(() => server.stop());
    const pool = await connectDatabase(server.connectionString, {
      applicationName: 'barograph-recorder',
      onIdleError: (error) => onProblem(`A database connection was lost: ${error.message}`),
    });
    add(() => pool.end());
    await migrate(pool);
    await preparePartitions(pool);
    const { processor, prometheus, sink } = await createRecorder(pool);
    const metrics = await openMetrics(options, { pool, prometheus });
    if (metrics !== null) add(() => metrics.close());
    add(startPartitionMaintenance({ pool, retention: config.retention, onProblem }));
    const instanceId = randomUUID();
    add(startTelemetry({ config, sampler, recorder: processor, validatorHotkey, instanceId }));
    return {
      pool,
      connectionString: server.connectionString,
      databaseKind: server.kind,
      metricsUrl: metrics === null ? null : `http://${config.metricsHost}:${metrics.port}/metrics`,
      counters: () => processor.counters,
      write: (spans) => sink.export(spans),
      flush: () => processor.forceFlush(),
      close,
    };
  });
}

/** The two sinks of the facts, and the processor that feeds them. */
async function createRecorder(pool: Pool) {
  const prometheus = createPrometheusExporter({
    recorderState: () => {
      const { queued, dropped, oldestAgeMillis } = processor.counters;
      return { queueLength: queued, dropped, oldestAgeMillis: queued === 0 ? null : oldestAgeMillis };
    },
  });
  prometheus.seed(await readMinerStats(pool));
  const exporter = createPostgresExporter({ pool, onCommit: (committed) => prometheus.observe(committed) });
  const sink = withBatchMetrics({ export: (spans) => exporter.exportObserved(spans) }, prometheus.recorder);
  const processor = new RecordingSpanProcessor({ sink });
  return { processor, prometheus, sink };
}

/** The metrics are no reason not to record: a port that cannot be had is told, and the rest goes on. */
async function openMetrics(
  { config, onProblem }: RecordingOptions,
  { pool, prometheus }: { readonly pool: Pool; readonly prometheus: PrometheusExporter },
): Promise<MetricsServer | null> {
  const ready = async () => {
    try {
      await pool.query('select');
      return { ready: true, reasons: [] };
    } catch {
      return { ready: false, reasons: ['the database does not answer'] };
    }
  };
  try {
    return await startMetricsServer({
      host: config.metricsHost,
      port: config.metricsPort,
      render: (accept) => prometheus.render(accept),
      ready,
      onError: (error) =>
        onProblem(`A scrape failed: ${error instanceof Error ? error.message : String(error)}`),
    });
  } catch (error) {
    onProblem(error instanceof Error ? error.message : String(error));
    return null;
  }
}
