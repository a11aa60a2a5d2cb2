import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { SpanSink } from '#exporters/export-report';
import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import type { ProcessorCounters } from '#processor/processor-options';
import { createPrometheusExporter, type PrometheusExporter } from '#prometheus/exporter';
import { withBatchMetrics } from '#prometheus/measured-sink';
import type { RecorderState } from '#prometheus/recorder-metrics';
import type { Adopted } from '#spool/recovery/adopt-spools';
import type { SpoolRemainder } from '#spool/spool';
import { acquireAll } from '#lifecycle/resource-stack';
import type { Config } from '../config.ts';
import { connectDatabase } from '#database/connect';
import { migrate } from '#database/migrate';
import { openDatabaseServer } from '#database/open-database-server';
import { startMetricsServer, type MetricsServer } from '#http/metrics-server';
import { refreshMiners, startMinerRefresh } from './miner-stats-poller.ts';
import { preparePartitions, startPartitionMaintenance } from './partition-scheduler.ts';
import { openRecordingSpool, type RecordingSpool } from './process-spool.ts';
import { createSampler } from './sampler.ts';
import { messageOf } from '#semconv/message-of';
import { startStateReading } from './pipeline-state-poller.ts';
import { startTelemetry } from './telemetry.ts';

/** How recording is started. */
export interface RecordingOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  /** How long `flush` and `close` wait for the database, ms; 30,000 unless given. What is left then waits on disk. */
  readonly flushTimeoutMillis?: number;
  /** How soon the metrics show what other processes committed, ms; 5,000 unless given. */
  readonly refreshMillis?: number;
  /** Hears of what is in the way but stops nothing. */
  readonly onProblem: (message: string) => void;
  /** Hears each time that what other processes had left in their spools was delivered. */
  readonly onAdopted?: ((adopted: Adopted) => void) | undefined;
}

export type { Adopted };

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
  /** Writes spans of other programs, past the spool of this process; the report comes when they are in the database. */
  readonly write: (...batch: Parameters<SpanSink['export']>) => ReturnType<SpanSink['export']>;
  /** What dead processes had left in their spools, when it has been delivered. */
  readonly adopted: Promise<Adopted>;
  /** What this process leaves in its spool; null before it was closed. */
  readonly remainder: () => SpoolRemainder | null;
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
  return acquireAll(async ({ add, close }) => {
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
    const instanceId = randomUUID();
    const { spool, prometheus, sink } = await createRecorder(options, { pool, server, instanceId });
    let remainder: SpoolRemainder | null = null;
    add(async () => (remainder = await spool.finish()));
    const metrics = await openMetrics(options, { pool, prometheus });
    if (metrics !== null) add(() => metrics.close());
    add(startMinerRefresh({ pool, prometheus, everyMillis: options.refreshMillis, onProblem }));
    add(
      startStateReading({
        pool,
        show: (state) => prometheus.showState(state),
        everyMillis: options.refreshMillis,
        onProblem,
      }),
    );
    add(startPartitionMaintenance({ pool, retention: config.retention, onProblem }));
    const { processor } = spool;
    const telemetry = startTelemetry({
      config,
      sampler,
      recorder: processor,
      validatorHotkey,
      instanceId,
      onProblem,
    });
    add(() => telemetry.close());
    const { adopted, stop } = spool.start(telemetry.showClosings);
    add(stop);
    return {
      pool,
      connectionString: server.connectionString,
      databaseKind: server.kind,
      metricsUrl: metrics === null ? null : `http://${config.metricsHost}:${metrics.port}/metrics`,
      counters: () => processor.counters,
      write: (spans, more) => sink.export(spans, more),
      adopted,
      remainder: () => remainder,
      flush: () => processor.forceFlush(),
      close,
    };
  });
}

/** Where the records of a process are on their way to. */
interface RecorderPlace {
  readonly pool: Pool;
  readonly server: { readonly connectionString: string; readonly kind: 'given' | 'embedded' };
  readonly instanceId: string;
}

/** The two sinks of the facts, and the spool that feeds them. */
async function createRecorder(options: RecordingOptions, { pool, server, instanceId }: RecorderPlace) {
  const { config, validatorHotkey, flushTimeoutMillis, onProblem, onAdopted } = options;
  const prometheus = createPrometheusExporter({ recorderState: () => stateOf(spool, config) });
  await refreshMiners({ pool, prometheus });
  const exporter = createPostgresExporter({ pool, onCommit: (committed) => prometheus.observe(committed) });
  const plain = toSink(exporter);
  const sink = withBatchMetrics(plain, prometheus.recorder);
  const spool = await openRecordingSpool({
    config,
    emitter: { validatorHotkey, instanceId },
    database: server,
    sink: plain,
    measuredSink: sink,
    ...(flushTimeoutMillis === undefined ? {} : { flushTimeoutMillis }),
    onProblem,
    onAdopted,
  });
  return { spool, prometheus, sink };
}

function stateOf(
  { processor, bytes, droppedOfOthers }: RecordingSpool,
  { spoolLimitBytes }: Config,
): RecorderState {
  const { queued, dropped, oldestAgeMillis } = processor.counters;
  const total: Record<string, number> = { ...dropped };
  for (const [reason, records] of Object.entries(droppedOfOthers()))
    total[reason] = (total[reason] ?? 0) + records;
  return {
    queueLength: queued,
    dropped: total,
    oldestAgeMillis: queued === 0 ? null : oldestAgeMillis,
    spoolBytes: bytes(),
    spoolLimitBytes,
  };
}

/** Metrics are optional: a port that is taken is reported, and recording goes on. */
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
      onError: (error) => onProblem(`A scrape failed: ${messageOf(error)}`),
    });
  } catch (error) {
    onProblem(messageOf(error));
    return null;
  }
}
