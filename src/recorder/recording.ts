import { randomUUID } from 'node:crypto';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Pool } from 'pg';
import type { SpanSink } from '#exporters/export-report';
import { createPostgresExporter } from '#postgres/exporter';
import { describeFailure, recomputeOutdated, type RecomputeFailure } from '#postgres/maintenance/recompute';
import type { Maintenance } from '#postgres/retention/retention';
import type { RejectedSpan } from '#postgres/log/batch';
import { toSink } from '#postgres/span-sink';
import type { ProcessorCounters } from '#processor/processor-options';
import { untraced } from '#processor/untraced';
import { createPrometheusExporter, type PrometheusExporter } from '#prometheus/exporter';
import { withBatchMetrics } from '#prometheus/measured-sink';
import type { RecorderState } from '#prometheus/recorder-metrics';
import type { Adopted } from '#spool/recovery/adopt-spools';
import type { SpoolRemainder } from '#spool/spool';
import { acquireAll, type ResourceStack } from '#lifecycle/resource-stack';
import { describeSpanLimits, readConfig, type Config } from '../config.ts';
import { describeConnectionTarget } from '#database/connection-target';
import type { HttpServer } from '#http/http-server';
import { startMetricsServer } from '#http/metrics-server';
import { refreshMiners, startMinerStatsPoller } from './miner-stats-poller.ts';
import { startPartitionMaintenance } from './partition-scheduler.ts';
import { openRecordingSpool, spoolRoot, type ReceiveSpans, type RecordingSpool } from './process-spool.ts';
import { openDatabase } from './recording-database.ts';
import { createSampler } from './sampler.ts';
import { describeForeignApi } from './shared-processor.ts';
import { CategorizedError, scrubText } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { startPipelineStatePoller } from './pipeline-state-poller.ts';
import { startTelemetry } from './telemetry.ts';
import { startUntracedTask } from './untraced-task.ts';

/** How recording is started. */
export interface RecordingOptions {
  readonly validatorHotkey: string;
  /** False for a process that makes no steps of its own, and is in no book therefore; true unless given. */
  readonly hasOwnSteps?: boolean;
  /** What the environment says unless given. */
  readonly config?: Config;
  /** Names the database, in place of `DATABASE_URL`; the recorder has connections of its own with the same settings. */
  readonly pool?: Pool;
  /** Serves `/metrics`, `/healthz` and `/readyz` at the address of the configuration; no port is opened unless true. */
  readonly metricsServer?: boolean;
  /** Sends the spans of steps to the OTLP endpoint of the environment, if it names one; none is sent unless true. */
  readonly traces?: boolean;
  /** How long `flush` and `close` wait for the database, ms; 30,000 unless given. The rest stays in the spool. */
  readonly flushTimeoutMillis?: number;
  /** How soon the metrics show what other processes committed, ms; 5,000 unless given. */
  readonly refreshMillis?: number;
  /** Called with problems that do not stop the recording; they are warnings of the process unless given. */
  readonly onProblem?: (message: string) => void;
  /** Called with where it records, when nobody named a database; a warning of the process unless given. */
  readonly onEmbedded?: (message: string) => void;
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
  /** `host:port/database`. */
  readonly database: string;
  /** The directory of the spools for this database; what could not be delivered waits there. */
  readonly spoolDirectory: string;
  /** Where `/metrics` is served; null when nobody asked for it, and when its port could not be opened. */
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

/** The options with their defaults. */
type CompleteOptions = RecordingOptions & Required<Pick<RecordingOptions, 'config' | 'onProblem'>>;

const warn = (message: string): void => process.emitWarning(message, 'BarographWarning');

/**
 * Records every step of this process: into the database of `pool`, else of `DATABASE_URL`, else into an embedded
 * PostgreSQL, which it starts and names. What the database cannot take waits on disk.
 *
 * It registers nothing with OpenTelemetry: a program with an SDK of its own keeps it as it is.
 *
 * @throws CategorizedError when the database cannot be opened or the configuration is wrong; nothing stays open then
 *
 * @example
 * ```ts
 * import { startRecording, step } from 'barograph';
 *
 * const verify = step({ name: 'verify', substep: 'manifest' }, async () => 'verified');
 *
 * export async function work(validatorHotkey: string): Promise<void> {
 *   const recording = await startRecording({ validatorHotkey });
 *   await verify();
 *   await recording.close();
 * }
 * ```
 */
export async function startRecording(options: RecordingOptions): Promise<Recording> {
  const { config = readConfig(process.env), onProblem = warn } = options;
  if (options.validatorHotkey === '')
    throw new CategorizedError(
      'validator_internal',
      'validatorHotkey is ""; allowed: the hotkey of the validator.',
    );
  return untraced(() => acquireAll((stack) => openRecording({ ...options, config, onProblem }, stack)));
}

async function openRecording(options: CompleteOptions, { add, close }: ResourceStack): Promise<Recording> {
  const { config, validatorHotkey, onProblem } = options;
  const sampler = createSampler(config.sampler, config.samplerArgument);
  if (config.spanLimits.length > 0) onProblem(`${describeSpanLimits(config)}.`);
  const { pool, server, breakOffLater } = await openDatabase({ onEmbedded: warn, ...options }, add);
  const instanceId = randomUUID();
  const recorder = await createRecorder(options, { pool, server, instanceId });
  const { spool, prometheus } = recorder;
  let remainder: SpoolRemainder | null = null;
  add(async () => (remainder = await spool.finish()));
  const metrics = options.metricsServer === true ? await openMetrics(options, { pool, prometheus }) : null;
  if (metrics !== null) add(() => metrics.close());
  startTasks(options, { pool, prometheus, add });
  const { processor } = spool;
  const telemetry = startTelemetry({
    config: { ...config, exportsTraces: config.exportsTraces && options.traces === true },
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
    database: describeConnectionTarget(server.connectionString),
    spoolDirectory: spoolRoot({ config, database: server }),
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

/** Starts what is done again and again while this process records. */
function startTasks(
  options: CompleteOptions,
  { pool, prometheus, add }: { pool: Pool; prometheus: PrometheusExporter; add: ResourceStack['add'] },
): void {
  const { refreshMillis: everyMillis, onProblem } = options;
  let isForeignApiNamed = false;
  const show: PrometheusExporter['showState'] = (state) => {
    prometheus.showState(state);
    // At each poll, because a program may register its OpenTelemetry at any time.
    const found = isForeignApiNamed ? null : describeForeignApi();
    if (found === null) return;
    isForeignApiNamed = true;
    onProblem(found);
  };
  add(startMinerStatsPoller({ pool, prometheus, everyMillis, onProblem }));
  add(startPipelineStatePoller({ pool, show, everyMillis, onProblem }));
  add(startRetention(options, { pool, prometheus }));
  add(startRecompute(pool, onProblem));
}

/** The database that a process records into, and its identity there. */
interface RecorderContext {
  readonly pool: Pool;
  readonly server: { readonly connectionString: string; readonly kind: 'given' | 'embedded' };
  readonly instanceId: string;
}

/** The two sinks of the facts, and the spool that feeds them. */
async function createRecorder(options: CompleteOptions, { pool, server, instanceId }: RecorderContext) {
  const { config, validatorHotkey, flushTimeoutMillis, onProblem, onAdopted } = options;
  const rejected: Record<string, number> = {};
  const countRefused = (reason: string, spans: number): void => {
    rejected[reason] = (rejected[reason] ?? 0) + spans;
  };
  const prometheus = createPrometheusExporter({
    recorderState: () => ({ ...stateOf(spool, config), rejected }),
  });
  await refreshMiners({ pool, prometheus });
  const exporter = createPostgresExporter({
    pool,
    onCommit: (committed) => prometheus.observe(committed),
    onRejected: createRejectionNotice(instanceId, onProblem),
  });
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

/** Tells a program which of its own steps are dead letters, each kind once; those of other senders are in the table alone. */
function createRejectionNotice(instanceId: string, onProblem: (message: string) => void) {
  const reportedKinds = new Set<string>();
  return (rejected: readonly RejectedSpan[]): void => {
    for (const { span, reason, detail } of rejected) {
      const kind = `${span.name}: ${reason}`;
      if (span.resource['service.instance.id'] !== instanceId || reportedKinds.has(kind)) continue;
      reportedKinds.add(kind);
      onProblem(
        `A step "${span.name}" is not recorded: ${scrubText(detail)}. It is kept as a dead letter. Give what is missing in ` +
          'the identity of its definition, or around its call by withIdentity.',
      );
    }
  };
}

/** Maintains the partitions and reports each round. @returns the closer */
function startRetention(
  { config, onProblem, onRetention }: CompleteOptions,
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
  { config, onProblem }: CompleteOptions,
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
