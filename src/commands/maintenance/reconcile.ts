import { Command } from 'commander';
import type { Pool } from 'pg';
import type { Config } from '#src/config';
import {
  reconcile,
  reconcileMetrics,
  type Reconciled,
  type ReconciledMetrics,
} from '#maintenance/maintenance';
import { CategorizedError } from '#semconv';
import { toFoldRequest, withScopeOptions, type ScopeOptions } from './fold-scope.ts';
import { httpUrl } from '../terminal/option-parsers.ts';
import { createOutput, type Output } from '../terminal/output.ts';
import { differenceLines, seriesLines } from './format-reconcile.ts';
import { withDatabase } from '../with-database.ts';

interface ReconcileOptions extends ScopeOptions {
  readonly metrics?: URL;
}

const HELP = `
The projections are computed from the log again and compared with the tables;
nothing is changed. Writers of the validators wait meanwhile.
A running process serves the series barograph_miner_*, which are compared with
miner_stats, over all runs and validators. It names its database
(barograph_database_info); another one's metrics are not compared.
The exit code is 1 when anything differs. \`barograph rebuild\` repairs the
tables; a restart repairs a process.`;

/** `barograph reconcile`: compares tables and metrics with the log. */
export function reconcileCommand(): Command {
  return withScopeOptions(new Command('reconcile'))
    .description(
      'Compares the projected tables with the log, and the metrics of a running process with miner_stats.',
    )
    .option('--metrics <url>', 'where a process serves metrics; the configured address unless given', httpUrl)
    .addHelpText('after', HELP)
    .action(async (options: ReconcileOptions) => {
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const found = await withDatabase(async ({ pool, config }) => {
        const request = await toFoldRequest(pool, options);
        const folds = await reconcile(pool, request);
        const metrics = await compareMetrics(pool, {
          url: metricsUrl(options, config),
          isRequired: options.metrics !== undefined,
          output,
        });
        return { ...request, folds, metrics };
      });
      output.result(isJson ? JSON.stringify(toDocument(found), null, 2) : formatReconciled(found));
      const { folds, metrics } = found;
      if (folds.differenceCount > 0 || (metrics?.differences.length ?? 0) > 0) process.exitCode = 1;
    });
}

interface Comparison {
  /** Null: of all validators. */
  readonly validatorHotkey: string | null;
  readonly folds: Reconciled;
  readonly metrics: ReconciledMetrics | null;
}

/** Where metrics are served; null when the configured port is 0, so that the real one is unknown. */
function metricsUrl({ metrics }: ReconcileOptions, { metricsHost, metricsPort }: Config): string | null {
  if (metrics === undefined) return metricsPort === 0 ? null : `http://${metricsHost}:${metricsPort}/metrics`;
  return metrics.pathname === '/' ? new URL('/metrics', metrics).href : metrics.href;
}

interface MetricsTarget {
  readonly url: string | null;
  readonly isRequired: boolean;
  readonly output: Output;
}

/** Missing metrics fail the command only if `--metrics` asked for them; otherwise they are a warning. */
async function compareMetrics(
  pool: Pool,
  { url, isRequired, output }: MetricsTarget,
): Promise<ReconciledMetrics | null> {
  if (url === null) return null;
  try {
    return await reconcileMetrics(pool, url);
  } catch (error) {
    if (isRequired || !(error instanceof CategorizedError)) throw error;
    output.problem(`${error.message} The metrics were not compared; --metrics names another URL.`);
    return null;
  }
}

const formatReconciled = ({ validatorHotkey, folds, metrics }: Comparison): string =>
  [...differenceLines(folds, validatorHotkey), ...(metrics === null ? [] : seriesLines(metrics))].join('\n');

const toDocument = ({ validatorHotkey, folds, metrics }: Comparison) => ({
  validator_hotkey: validatorHotkey,
  folds: {
    rows: folds.rows,
    difference_count: folds.differenceCount,
    differences: folds.differences.map(({ inTables, fromLog, ...place }) => ({
      ...place,
      in_tables: inTables,
      from_log: fromLog,
    })),
  },
  metrics: metrics && {
    url: metrics.url,
    names_database: metrics.namesDatabase,
    miners: metrics.miners,
    difference_count: metrics.differences.length,
    differences: metrics.differences,
  },
});
