import { Command } from 'commander';
import type { Pool } from 'pg';
import { readUpMillis, sweep, type SweepRequest, type SweptEmitter } from '#maintenance/maintenance';
import { processSubject, resolveValidator } from '#reports/resolve-validator';
import { printableValue } from '#semconv/printable-text';
import { duration, validatorOption } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';

interface SweepOptions {
  readonly olderThan: number;
  readonly instance?: string;
  readonly validator?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const HELP = `
A process that records sends heartbeats. One without a heartbeat for the given
time counts as dead, if the database has been up for that long, and its running
steps are recorded as abandoned. If such a step sends its end later, that end
replaces the abandonment.
Programs that send spans over OTLP have no heartbeat: name one with --instance,
and its newest span counts as the heartbeat.`;

const lastSeen = ({ heardAt: micros }: SweptEmitter): string => new Date(micros / 1000).toISOString();

function line(emitter: SweptEmitter, isDryRun: boolean): string {
  const { instanceId, validatorHotkey } = printableValue(emitter);
  const steps = (count: number): string => `${count} running ${count === 1 ? 'step' : 'steps'}`;
  const outcome = isDryRun
    ? `${steps(emitter.running)} would be closed`
    : emitter.closed === null
      ? 'a heartbeat arrived just now; nothing was closed'
      : `${steps(emitter.closed)} closed`;
  return `${instanceId} of ${validatorHotkey}, last seen at ${lastSeen(emitter)}: ${outcome}`;
}

/** The text for no finding. A database that is up for less than the given time has no silent process by definition. */
function nothingFound(upMillis: number, olderThanMillis: number): string {
  const found = 'No silent process has left a step running.';
  if (upMillis >= olderThanMillis) return found;
  const seconds = Math.round(upMillis / 1000);
  return `${found}\nThe database has been up for only ${seconds} s; no process counts as silent for longer.`;
}

interface Swept {
  readonly emitters: readonly SweptEmitter[];
  readonly upMillis: number;
}

const toDocument = ({ emitters, upMillis }: Swept, isDryRun: boolean) => ({
  is_dry_run: isDryRun,
  database_up_seconds: Math.round(upMillis / 1000),
  emitters: emitters.map((emitter) => ({
    validator_hotkey: emitter.validatorHotkey,
    instance_id: emitter.instanceId,
    last_heard: lastSeen(emitter),
    running: emitter.running,
    closed: emitter.closed,
  })),
});

/** @throws CategorizedError when the validator is unknown, or several have the process */
async function toSweepRequest(
  pool: Pool,
  { olderThan, instance, validator }: SweepOptions,
): Promise<SweepRequest> {
  const subject = instance === undefined ? null : processSubject(instance);
  return {
    olderThanMillis: olderThan,
    instanceId: instance ?? null,
    validatorHotkey: await resolveValidator(pool, validator, subject),
  };
}

/** `barograph sweep`: closes the running steps of processes whose heartbeat expired. */
export function sweepCommand(): Command {
  return new Command('sweep')
    .description('Records the running steps of processes without a recent heartbeat as abandoned.')
    .requiredOption(
      '--older-than <duration>',
      'age of the last heartbeat, for example 15m or 2h; at least 1m',
      duration(1),
    )
    .option('--instance <id>', 'only the process with this service.instance.id')
    .addOption(
      validatorOption('only processes of this validator; needed where several have a process of that id'),
    )
    .option('--dry-run', 'list what would be closed, and close nothing')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(async (options: SweepOptions) => {
      const { olderThan, dryRun, json } = options;
      const isDryRun = dryRun === true;
      const swept = await withDatabase(async ({ pool }) => ({
        emitters: await sweep(pool, await toSweepRequest(pool, options), { isDryRun }),
        upMillis: await readUpMillis(pool),
      }));
      const { emitters, upMillis } = swept;
      const lines = emitters.map((emitter) => line(emitter, isDryRun));
      const text = lines.length === 0 ? nothingFound(upMillis, olderThan) : lines.join('\n');
      const isJson = json === true;
      const document = toDocument(swept, isDryRun);
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : text);
    });
}
