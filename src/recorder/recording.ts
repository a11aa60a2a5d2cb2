import { randomUUID } from 'node:crypto';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Pool } from 'pg';
import type { SpanSink } from '#exporters/export-report';
import { createPostgresExporter } from '#postgres/exporter';
import { describeFailure, recomputeOutdated, type RecomputeFailure } from '#postgres/maintenance/recompute';
import type { Maintenance } from '#postgres/retention/retention';
import { toSink } from '#postgres/span-sink';
import { DEFAULT_OPTIONS, type ProcessorCounters } from '#processor/processor-options';
import { untraced } from '#processor/untraced';
import { createPrometheusExporter, type PrometheusExporter } from '#prometheus/exporter';
import { withBatchMetrics } from '#prometheus/measured-sink';
import type { RecorderState } from '#prometheus/recorder-metrics';
import type { Adopted } from '#spool/recovery/adopt-spools';
import type { SpoolRemainder } from '#spool/spool';
import { acquireAll, type ResourceStack } from '#lifecycle/resource-stack';
import { systemScheduler } from '#lifecycle/scheduler';
import { describeSpanLimits, type Config } from '../config.ts';
import { connectDatabase } from '#database/connect';
import { migrate } from '#database/migrate';
import { openDatabaseServer } from '#database/open-database-server';
import type { HttpServer } from '#http/http-server';
import { startMetricsServer } from '#http/metrics-server';
import { refreshMiners, startMinerStatsPoller } from './miner-stats-poller.ts';
import { preparePartitions, startPartitionMaintenance } from './partition-scheduler.ts';
import { openRecordingSpool, type ReceiveSpans, type RecordingSpool } from './process-spool.ts';
import { createSampler } from './sampler.ts';
import { messageOf } from '#semconv/message-of';
import { startPipelineStatePoller } from './pipeline-state-poller.ts';
import { startTelemetry } from './telemetry.ts';
import { startUntracedTask } from './untraced-task.ts';

/** A living server answers within this time, if only that the statement took too long: a batch takes a second or two. */
const STATEMENT_TIMEOUT_MILLIS = 60_000;
/** Longer than a statement may take: a server that is silent for so long is frozen, or out of reach. */
const SILENCE_TIMEOUT_MILLIS = 65_000;
/** Time beyond that of the flush that closing may take before every connection to the database is broken off. */
const CLOSE_GRACE_MILLIS = 1000;

/** How recording is started. */
export interface RecordingOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  /** False for a process that makes no steps of its own, and is in no book therefore; true unless given. */
  readonly hasOwnSteps?: boolean;
  /** How long `flush` and `close` wait for the database, ms; 30,000 unless given. The rest stays in the spool. */
  readonly flushTimeoutMillis?: number;
  /** How soon the metrics show what other processes committed, ms; 5,000 unless given. */
  readonly refreshMillis?: number;
  /** Called with problems that do not stop the recording. */
  readonly onProblem: (message: string) => void;
  /** Called after spools of dead processes were adopted and delivered. */
  readonly onAdopted?: ((adopted: Adopted) => void) | undefined;
  /** Called after each round of retention, when it dropped partitions or kept some for runs that have not ended. */
  readonly onRetention?: ((round: RetentionRound) => void) | undefined;
}

/** What a round of retention did. */
export type RetentionRound = Pick<Maintenance, 'dropped' | 'held'>;

export type { Adopted };

/** A process that records: database, exporters, metrics and telemetry, all running. */
export interface Recording {
  /** For queries; the recorder shares it. */
  readonly pool: Pool;
  /** With the password in it. */
  readonly connectionString: string;
  readonly databaseKind: 'given' | 'embedded';
  /** Where `/metrics` is served; null when its port could not be opened. */
  readonly metricsUrl: string | null;
  readonly counters: () => ProcessorCounters;
  /**
   * For a program that wants the steps in its own traces: with it in its OpenTelemetry SDK, they are spans of that SDK,
   * recorded as ever and never a second time.
   */
  readonly spanProcessor: SpanProcessor;
  /** Writes spans that are kept elsewhere until the report says committed, bypassing the spool. */
  readonly write: (...batch: Parameters<SpanSink['export']>) => ReturnType<SpanSink['export']>;
  /** Takes spans of other programs, all or none. They are on the disk when the report says `written`, and recorded later. */
  readonly receive: ReceiveSpans;
  /** Counts received spans that were refused before they reached the spool, in `barograph_recorder_rejected_total`. */
  readonly countRefused: (reason: string, spans: number) => void;
  /** The outcome of the first adoption, once its records are delivered. */
  readonly adopted: Promise<Adopted>;
  /** What is left in the spool of this process; null before `close`. */
  readonly remainder: () => SpoolRemainder | null;
  /** Resolves when every span ended so far is in the tables, or the timeout has passed. */
  readonly flush: () => Promise<void>;
  /**
   * Flushes and closes everything, in reverse order of opening. Idempotent. Takes little longer than the flush timeout,
   * whatever the database does: its connections are broken off then, and what is not delivered stays in the spool.
   */
  readonly close: () => Promise<void>;
}

/**
 * Opens the database, brings it up to date and starts to record every step of this process.
 *
 * @throws CategorizedError when the database cannot be opened or the configuration is wrong; nothing stays open then
 */
export const startRecording = (options: RecordingOptions): Promise<Recording> =>
  untraced(() => acquireAll((stack) => openRecording(options, stack)));

async function openRecording(options: RecordingOptions, { add, close }: ResourceStack): Promise<Recording> {
  const { config, validatorHotkey, onProblem } = options;
  const sampler = createSampler(config.sampler, config.samplerArgument);
  if (config.spanLimits.length > 0) onProblem(`${describeSpanLimits(config)}.`);
  const server = await openDatabaseServer(config);
  add(() => server.stop());
  const { pool, breakOffLater } = await openPool(options, server.connectionString);
  add(() => pool.end());
  await migrate(pool);
  await preparePartitions(pool);
  const instanceId = randomUUID();
  const recorder = await createRecorder(options, { pool, server, instanceId });
  const { spool, prometheus } = recorder;
  let remainder: SpoolRemainder | null = null;
  add(async () => (remainder = await spool.finish()));
  const metrics = await openMetrics(options, { pool, prometheus });
  if (metrics !== null) add(() => metrics.close());
  add(startMinerStatsPoller({ pool, prometheus, everyMillis: options.refreshMillis, onProblem }));
  add(
    startPipelineStatePoller({
      pool,
      show: (state) => prometheus.showState(state),
      everyMillis: options.refreshMillis,
      onProblem,
    }),
  );
  add(startRetention(options, { pool, prometheus }));
  add(startRecompute(pool, onProblem));
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
  const { adopted, stop } = spool.start(telemetry.exportClosings);
  add(stop);
  return {
    pool,
    connectionString: server.connectionString,
    databaseKind: server.kind,
    metricsUrl: metrics === null ? null : `http://${config.metricsHost}:${metrics.port}/metrics`,
    counters: () => processor.counters,
    get spanProcessor() {
      return telemetry.spanProcessor();
    },
    write: (spans, more) => recorder.sink.export(spans, more),
    receive: spool.receive,
    countRefused: recorder.countRefused,
    adopted,
    remainder: () => remainder,
    flush: () => processor.forceFlush(),
    close: () => {
      breakOffLater();
      return close();
    },
  };
}

/** The connections of the recorder, and the limit on how long closing waits for their answers. */
async function openPool({ flushTimeoutMillis, onProblem }: RecordingOptions, connectionString: string) {
  const closing = new AbortController();
  const pool = await connectDatabase(connectionString, {
    applicationName: 'barograph-recorder',
    statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS,
    silenceTimeoutMillis: SILENCE_TIMEOUT_MILLIS,
    signal: closing.signal,
    onIdleError: (error) => onProblem(`A database connection was lost: ${error.message}`),
  });
  const flushMillis = flushTimeoutMillis ?? DEFAULT_OPTIONS.flushTimeoutMillis;
  const breakOffLater = (): void => {
    systemScheduler.schedule(flushMillis + CLOSE_GRACE_MILLIS, () => closing.abort());
  };
  return { pool, breakOffLater };
}

/** The database that a process records into, and its identity there. */
interface RecorderContext {
  readonly pool: Pool;
  readonly server: { readonly connectionString: string; readonly kind: 'given' | 'embedded' };
  readonly instanceId: string;
}

/** The two sinks of the facts, and the spool that feeds them. */
async function createRecorder(options: RecordingOptions, { pool, server, instanceId }: RecorderContext) {
  const { config, validatorHotkey, flushTimeoutMillis, onProblem, onAdopted } = options;
  const rejected: Record<string, number> = {};
  const countRefused = (reason: string, spans: number): void => {
    rejected[reason] = (rejected[reason] ?? 0) + spans;
  };
  const prometheus = createPrometheusExporter({
    recorderState: () => ({ ...stateOf(spool, config), rejected }),
  });
  await refreshMiners({ pool, prometheus });
  const exporter = createPostgresExporter({ pool, onCommit: (committed) => prometheus.observe(committed) });
  const plain = toSink(exporter);
  const sink = withBatchMetrics(plain, prometheus.recorder);
  const spool = await openRecordingSpool({
    config,
    emitter: { validatorHotkey, instanceId, isIdle: config.isSdkDisabled || options.hasOwnSteps === false },
    database: server,
    sink: plain,
    measuredSink: sink,
    ...(flushTimeoutMillis === undefined ? {} : { flushTimeoutMillis }),
    onProblem,
    onAdopted,
  });
  return { spool, prometheus, sink, countRefused };
}

/** Maintains the partitions and reports each round. @returns the closer */
function startRetention(
  { config, onProblem, onRetention }: RecordingOptions,
  { pool, prometheus }: { readonly pool: Pool; readonly prometheus: PrometheusExporter },
): () => Promise<void> {
  return startPartitionMaintenance({
    pool,
    retention: config.retention,
    onMaintained: ({ dropped, held }) => {
      prometheus.showHeldPartitions(held);
      if (dropped.length + held.length > 0) onRetention?.({ dropped, held });
    },
    onProblem,
  });
}

/**
 * Computes rows of an earlier version again while this process records. What cannot be computed is said once.
 *
 * @returns the closer
 */
function startRecompute(pool: Pool, onProblem: (message: string) => void): () => Promise<void> {
  const reported = new Set<string>();
  const onFailure = (failure: RecomputeFailure): void => {
    const message = `${describeFailure(failure)}. It keeps the rows that it has, and stays marked in outdated_projections.`;
    if (!reported.has(message)) onProblem(message);
    reported.add(message);
  };
  return startUntracedTask({
    everyMillis: 6 * 3_600_000,
    retryMillis: 600_000,
    work: (signal) => recomputeOutdated(pool, { signal, onFailure }),
    onError: (error) =>
      onProblem(
        `Rows of an earlier version could not be computed again: ${messageOf(error)}. ` +
          'The next attempt follows in 10 minutes, or by `barograph migrate`.',
      ),
  });
}

function stateOf(
  { processor, bytes, unreadableBytes, droppedOfOthers }: RecordingSpool,
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
    spoolUnreadableBytes: unreadableBytes(),
  };
}

/** Best effort: a metrics port that cannot be opened is reported, and recording goes on without it. */
async function openMetrics(
  { config, onProblem }: RecordingOptions,
  { pool, prometheus }: { readonly pool: Pool; readonly prometheus: PrometheusExporter },
): Promise<HttpServer | null> {
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
      ready: () => untraced(ready),
      onError: (error) => onProblem(`A scrape failed: ${messageOf(error)}`),
    });
  } catch (error) {
    onProblem(messageOf(error));
    return null;
  }
}
