import { Command } from 'commander';
import { readUpMillis, sweep, type SweptEmitter } from '#maintenance/maintenance';
import { duration } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';

interface SweepOptions {
  readonly olderThan: number;
  readonly instance?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const MORE = `
A process that records says now and then that it lives. One that was not heard of for the time given is taken for dead,
unless the database has not been up for as long, and the steps that it left running are recorded as abandoned. Should a
step tell its end after all, the end is what counts.
Programs that send spans over OTLP never say that they live: name one with --instance, and the newest span of it counts.`;

const heardAt = ({ heardAt: micros }: SweptEmitter): string => new Date(micros / 1000).toISOString();

function line(emitter: SweptEmitter, isDryRun: boolean): string {
  const steps = (count: number): string => `${count} running ${count === 1 ? 'step' : 'steps'}`;
  const outcome = isDryRun
    ? `${steps(emitter.running)} would be closed`
    : emitter.closed === null
      ? 'spoke up just now; nothing was closed'
      : `${steps(emitter.closed)} closed`;
  return `${emitter.instanceId} of ${emitter.validatorHotkey}, last heard of at ${heardAt(emitter)}: ${outcome}`;
}

/** Nothing found, and whether that means anything. */
function nothingFound(upMillis: number, olderThanMillis: number): string {
  const found = 'No silent process has left a step running.';
  if (upMillis >= olderThanMillis) return found;
  const seconds = Math.round(upMillis / 1000);
  return `${found} The database has been up for ${seconds} s only, so nobody can be called silent for longer than that yet.`;
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
    last_heard: heardAt(emitter),
    running: emitter.running,
    closed: emitter.closed,
  })),
});

/** `barograph sweep`: closes the steps of processes that never came back. */
export function sweepCommand(): Command {
  return new Command('sweep')
    .description('Records as abandoned what processes left running that have been silent for a long time.')
    .requiredOption(
      '--older-than <duration>',
      'for how long, for example 15m or 2h; at least 1m',
      duration(1),
    )
    .option('--instance <id>', 'the process of this service.instance.id alone')
    .option('--dry-run', 'say what would be closed, and close nothing')
    .option('--json', 'print one JSON document instead of words')
    .addHelpText('after', MORE)
    .action(async ({ olderThan, instance, dryRun, json }: SweepOptions) => {
      const request = { olderThanMillis: olderThan, instanceId: instance ?? null };
      const isDryRun = dryRun === true;
      const swept = await withDatabase(async ({ pool }) => ({
        emitters: await sweep(pool, request, { isDryRun }),
        upMillis: await readUpMillis(pool),
      }));
      const { emitters, upMillis } = swept;
      const lines = emitters.map((emitter) => line(emitter, isDryRun));
      const words = lines.length === 0 ? nothingFound(upMillis, olderThan) : lines.join('\n');
      const isJson = json === true;
      const document = toDocument(swept, isDryRun);
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : words);
    });
}
