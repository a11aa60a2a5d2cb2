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

const MORE = `
The log is folded once more and compared with the tables; nothing is changed. Writers of the validators wait meanwhile.
A running process shows the series barograph_miner_*, which are compared with miner_stats, over all runs and validators.
Ends with exit code 1 when anything differs. \`barograph rebuild\` heals the tables; a restart heals a process.`;

/** `barograph reconcile`: whether tables and metrics agree with the log. */
export function reconcileCommand(): Command {
  return withScopeOptions(new Command('reconcile'))
    .description(
      'Compares the folded tables with the log, and the metrics of a running process with miner_stats.',
    )
    .option(
      '--metrics <url>',
      'where a process serves metrics; that of the configuration is tried unless given',
      httpUrl,
    )
    .addHelpText('after', MORE)
    .action(async (options: ReconcileOptions) => {
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      const found = await withDatabase(async ({ pool, config }) => ({
        folds: await reconcile(pool, toFoldRequest(options)),
        metrics: await compareMetrics(pool, {
          url: metricsUrl(options, config),
          isWanted: options.metrics !== undefined,
          output,
        }),
      }));
      output.result(isJson ? JSON.stringify(toDocument(found), null, 2) : formatDifferences(found));
      const { folds, metrics } = found;
      if (folds.differenceCount > 0 || (metrics?.differences.length ?? 0) > 0) process.exitCode = 1;
    });
}

interface Found {
  readonly folds: Reconciled;
  readonly metrics: ReconciledMetrics | null;
}

/** Where metrics are served; null when the configuration leaves the port open. */
function metricsUrl({ metrics }: ReconcileOptions, { metricsHost, metricsPort }: Config): string | null {
  if (metrics === undefined) return metricsPort === 0 ? null : `http://${metricsHost}:${metricsPort}/metrics`;
  return metrics.pathname === '/' ? new URL('/metrics', metrics).href : metrics.href;
}

interface Place {
  readonly url: string | null;
  readonly isWanted: boolean;
  readonly output: Output;
}

/** Without metrics that were asked for the command fails; others are only missed. */
async function compareMetrics(
  pool: Pool,
  { url, isWanted, output }: Place,
): Promise<ReconciledMetrics | null> {
  if (url === null) return null;
  try {
    return await reconcileMetrics(pool, url);
  } catch (error) {
    if (isWanted || !(error instanceof CategorizedError)) throw error;
    output.problem(`${error.message} The metrics were not compared; --metrics names another place.`);
    return null;
  }
}

const formatDifferences = ({ folds, metrics }: Found): string =>
  [...differenceLines(folds), ...(metrics === null ? [] : seriesLines(metrics))].join('\n');

const toDocument = ({ folds, metrics }: Found) => ({
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
    miners: metrics.miners,
    difference_count: metrics.differences.length,
    differences: metrics.differences,
  },
});
