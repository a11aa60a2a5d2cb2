import { join } from 'node:path';
import { Command } from 'commander';
import type { Pool } from 'pg';
import { describeSpanLimits, readConfig, type Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import { migrationStatus, readDatabaseId } from '#database/migration-status';
import { inspectSpools } from '#maintenance/maintenance';
import { describeValidators } from '#reports/resolve-validator';
import { messageOf } from '#semconv/message-of';
import { printableText } from '#semconv/printable-text';
import { checkConsistency, checkEmitters } from './check-consistency.ts';
import { checkMetricsPort } from './metrics-port.ts';
import { createOutput } from '../terminal/output.ts';
import { checkWrites } from './check-writes.ts';
import { checkRetention } from '../terminal/retention-report.ts';
import { withDatabase } from '../with-database.ts';

/** One check and its finding; a finding that is not ok includes the remedy. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

const OLDEST_NODE = [20, 19] as const;

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const wanted = ok ? '' : `; install ${OLDEST_NODE.join('.')} or newer`;
  return { name: 'Node.js', ok, found: `${process.versions.node}${wanted}` };
}

/** The checks of the database, and its identity; null when that cannot be read. */
interface DatabaseChecks {
  readonly checks: readonly Check[];
  readonly databaseId: string | null;
}

async function checkDatabase({ retention }: Config): Promise<DatabaseChecks> {
  try {
    return await withDatabase(async ({ pool, connectionString, kind }) => {
      const { rows } = await pool.query<{ version: string }>(
        `select current_setting('server_version') as version`,
      );
      const { current, latest, pending } = await migrationStatus(pool);
      const isCurrent = pending.length === 0;
      const advice = isCurrent ? '' : '; run `barograph migrate`';
      const databaseId = await readDatabaseId(pool);
      const checks = [
        {
          name: 'PostgreSQL',
          ok: true,
          found: `${rows[0]?.version ?? 'unknown'} at ${describeConnectionTarget(connectionString)} (${kind})`,
        },
        { name: 'Migrations', ok: isCurrent, found: `version ${current} of ${latest}${advice}` },
        { name: 'Writing', ...(await checkWrites(pool)) },
        ...(isCurrent ? await checkRecord(pool, retention) : []),
      ];
      return { checks, databaseId };
    });
  } catch (error) {
    return { checks: [{ name: 'PostgreSQL', ok: false, found: messageOf(error) }], databaseId: null };
  }
}

/** The checks that read the tables, which the newest migration must have made. */
async function checkRecord(pool: Pool, retention: Config['retention']): Promise<Check[]> {
  return [
    await listValidators(pool),
    { name: 'Rows', ...(await checkConsistency(pool)) },
    { name: 'Processes', ...(await checkEmitters(pool)) },
    { name: 'Retention', ...(await checkRetention(pool, { retention, now: new Date() })) },
  ];
}

/** Numbers and hotkeys, by which `--validator` names them. */
async function listValidators(pool: Pool): Promise<Check> {
  const recorded = await describeValidators(pool);
  return { name: 'Validators', ok: true, found: recorded === '' ? 'none has recorded yet' : recorded };
}

/** Waiting records are normal while the database is away; a spool that cannot be read needs a person. */
async function checkSpools({ dataDirectory }: Config): Promise<Check> {
  const { spools, bytes, unreadable } = await inspectSpools(join(dataDirectory, 'spool'));
  const mebibytes = (bytes / 1024 / 1024).toFixed(1);
  const waiting = `${spools} below ${join(dataDirectory, 'spool')}, ${mebibytes} MiB`;
  if (unreadable.length === 0) return { name: 'Spools', ok: true, found: waiting };
  return {
    name: 'Spools',
    ok: false,
    found: `${waiting}; records in ${unreadable.join(', ')} cannot be read: see \`barograph spools inspect\``,
  };
}

/** A disabled SDK records nothing, which is legal but seldom intended. */
function checkTelemetry(config: Config): Check {
  if (config.isSdkDisabled) {
    const found = 'OTEL_SDK_DISABLED=true: steps run, nothing is recorded; unset it to record';
    return { name: 'OpenTelemetry', ok: false, found };
  }
  const found = config.exportsTraces
    ? 'records, and exports traces over OTLP'
    : 'records; no OTLP endpoint is set';
  const cut = config.spanLimits.length === 0 ? '' : `; ${describeSpanLimits(config)}`;
  return { name: 'OpenTelemetry', ok: true, found: `${found}${cut}` };
}

/** `barograph doctor`: checks everything that a run needs, and changes nothing in the tables. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Checks everything that a run needs and names the remedy where something is missing.')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: { readonly json?: true }) => {
      const config = readConfig(process.env);
      const database = await checkDatabase(config);
      const checks = [
        checkNode(),
        ...database.checks,
        await checkSpools(config).catch((error: unknown) => ({
          name: 'Spools',
          ok: false,
          found: `they cannot be read by this user: ${messageOf(error)}; records may wait there`,
        })),
        { name: 'Metrics port', ...(await checkMetricsPort(config, database.databaseId)) },
        checkTelemetry(config),
      ];
      const isJson = options.json === true;
      const lines = checks.map(
        ({ name, ok, found }) => `${ok ? 'ok ' : 'NOT'}  ${name.padEnd(13)}  ${printableText(found)}`,
      );
      createOutput({ isJson }).result(isJson ? JSON.stringify(checks, null, 2) : lines.join('\n'));
      if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}
