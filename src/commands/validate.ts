import type { Config } from '../config.ts';
import { describeConnectionTarget } from '../database/connection-target.ts';
import type { GridStore } from '../grids/index.ts';
import type { PipelineStores } from '../pipeline/index.ts';
import type { Miner } from '../pipeline/miners/index.ts';
import { readRunReport, type RunReport } from '../reports/run-report.ts';
import { startBarograph, type Barograph } from '../start.ts';
import type { Output } from './output.ts';
import { watchProgress } from './watch-progress.ts';

/** Who takes part, and how the miners are let go of. */
export interface MinersOfRun {
  readonly miners: readonly (Miner & { readonly profile?: string })[];
  readonly close: () => Promise<void>;
}

/** One validation run, from seed to the last lead. */
export interface ValidationOptions {
  readonly config: Config;
  readonly validatorHotkey: string;
  readonly initTime: Date;
  readonly leads: readonly number[];
  readonly day1Lead: number;
  readonly stores: PipelineStores & { readonly truth: GridStore };
  readonly miners: MinersOfRun;
  readonly delayFactor: number;
  readonly queuePollMillis?: number;
  readonly minerTimeouts?: { readonly initiateFetch: number; readonly poll: number; readonly token: number };
  readonly output: Output;
}

/** Where what was recorded can be looked at. */
export interface Whereabouts {
  readonly metrics: string | null;
  readonly database: string;
  readonly traces: string | null;
}

/** The document of a run: what was recorded, whether all of it arrived, and where it is. */
export interface ValidationReport extends RunReport {
  readonly recorder: {
    readonly exported: number;
    readonly queued: number;
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly where: Whereabouts;
}

/** Runs one validation to its end and gives what was recorded; the caller closes what it gets. */
export async function validate(
  options: ValidationOptions,
): Promise<{ readonly report: ValidationReport; readonly barograph: Barograph }> {
  const barograph = await startBarograph({
    ...options,
    onProblem: (message) => options.output.problem(message),
  });
  try {
    const { pipeline, recording } = barograph;
    const runId = await pipeline.createRun({
      validatorHotkey: options.validatorHotkey,
      initTime: options.initTime,
      miners: options.miners.miners,
      leads: options.leads,
      day1Lead: options.day1Lead,
    });
    await pipeline.start();
    await watchProgress(pipeline, runId, options.output);
    await recording.flush();
    return { report: await reportOf(options, barograph, runId), barograph };
  } catch (error) {
    await barograph.close();
    throw error;
  }
}

async function reportOf(
  options: ValidationOptions,
  { recording }: Barograph,
  runId: number,
): Promise<ValidationReport> {
  const recorded = await readRunReport(recording.pool, runId);
  if (recorded === null)
    throw new Error(`Run ${runId} ended, and nothing of it was recorded. Is OTEL_SDK_DISABLED set?`);
  const profiles = new Map(options.miners.miners.map(({ hotkey, profile }) => [hotkey, profile]));
  const { exported, queued, dropped } = recording.counters();
  return {
    ...recorded,
    miners: recorded.miners.map((miner) => ({ ...miner, profile: profiles.get(miner.hotkey) ?? null })),
    recorder: { exported, queued, dropped },
    where: {
      metrics: recording.metricsUrl,
      database: `${describeConnectionTarget(recording.connectionString)} (${recording.databaseKind})`,
      traces: options.config.exportsTraces ? 'sent to the OTLP endpoint of the environment' : null,
    },
  };
}
