import type { Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import type { RunProgress } from '#pipeline';
import type { Miner } from '#pipeline/miners/index';
import { readRunReport, type RunReport } from '#reports/run-report';
import { CategorizedError } from '#semconv';
import type { Barograph } from '#src/start';

/** Where the recorded data can be inspected. */
export interface ReportLocations {
  readonly metrics: string | null;
  readonly database: string;
  readonly traces: string | null;
}

/** The `--json` document of a run: its end, its recorded rows, their completeness, and where they are. */
export interface ValidationReport extends RunReport {
  /** False with `OTEL_SDK_DISABLED=true`: then only the outcome of the run is known. */
  readonly is_recorded: boolean;
  /** Miners and leads by state, from the control state of the pipeline. */
  readonly outcome: Pick<RunProgress, 'miners' | 'leads' | 'waits'>;
  readonly recorder: {
    readonly exported: number;
    readonly queued: number;
    /** Spans that were dropped, by reason. */
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly where: ReportLocations;
}

/** What the report needs besides the recorded rows. */
export interface ReportSources {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly initTime: Date;
  readonly miners: { readonly miners: readonly (Pick<Miner, 'hotkey'> & { readonly profile?: string })[] };
}

/**
 * Builds the report of a finished run.
 *
 * @throws CategorizedError when nothing was recorded although it should have been
 */
export async function readValidationReport(
  sources: ReportSources,
  { pipeline, recording }: Barograph,
  runId: number,
): Promise<ValidationReport> {
  const { status, miners, leads, waits } = await pipeline.progress(runId);
  const { validatorHotkey, config } = sources;
  const { isSdkDisabled } = config;
  const recorded = isSdkDisabled
    ? unrecorded(sources, runId, status)
    : await readRunReport(recording.pool, { validatorHotkey, runId });
  const { exported, queued, dropped } = recording.counters();
  if (recorded === null) throw nothingRecorded(validatorHotkey, runId, dropped);
  const profiles = new Map(sources.miners.miners.map(({ hotkey, profile }) => [hotkey, profile]));
  return {
    ...recorded,
    miners: recorded.miners.map((miner) => ({ ...miner, profile: profiles.get(miner.hotkey) ?? null })),
    is_recorded: !isSdkDisabled,
    outcome: { miners, leads, waits },
    recorder: { exported, queued, dropped },
    where: {
      metrics: recording.metricsUrl,
      database: `${describeConnectionTarget(recording.connectionString)} (${recording.databaseKind})`,
      traces: config.exportsTraces ? 'sent to the OTLP endpoint of the environment' : null,
    },
  };
}

const unrecorded = (
  { validatorHotkey, initTime }: ReportSources,
  runId: number,
  status: string,
): RunReport => ({
  run: {
    validator_hotkey: validatorHotkey,
    id: runId,
    init_time: initTime.toISOString(),
    status,
    error: null,
    duration_seconds: null,
    trace_id: null,
  },
  miners: [],
  recorded: {},
  completeness: { started: 0, recorded: 0, in_flight: 0, sender_loss: null },
});

function nothingRecorded(
  validatorHotkey: string,
  runId: number,
  dropped: Readonly<Record<string, number>>,
): CategorizedError {
  const reasons = Object.entries(dropped).flatMap(([reason, spans]) =>
    spans > 0 ? `${spans} ${reason}` : [],
  );
  return new CategorizedError(
    'validator_internal',
    `Run ${runId} of validator ${validatorHotkey} ended, but nothing of it was recorded; dropped spans: ${reasons.join(', ') || 'none'}. ` +
      'Another OpenTelemetry SDK may be registered in this process; only one can be.',
  );
}
