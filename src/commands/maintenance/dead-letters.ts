import { Command, Option } from 'commander';
import {
  countDeadLetters,
  dropDeadLetters,
  readDeadLetters,
  replayDeadLetters,
  type DeadLetterFilter,
} from '#maintenance/dead-letters';
import { CategorizedError, DEAD_LETTER_REASONS, type DeadLetterReason } from '#semconv';
import { formatDeadLetterList, formatDeadLetters, formatReplay, toDocument } from './format-dead-letters.ts';
import { wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';

interface FilterOptions {
  readonly run?: number;
  readonly reason?: DeadLetterReason;
  readonly span?: string;
  readonly json?: true;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

const toFilter = ({ run, reason, span }: FilterOptions): DeadLetterFilter => ({
  ...(run === undefined ? {} : { runId: run }),
  ...(reason === undefined ? {} : { reason }),
  ...(span === undefined ? {} : { spanId: span }),
});

/** A subcommand with the filter options. */
const filtered = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--run <id>', 'only those of this run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--reason <reason>', 'only those with this reason').choices(DEAD_LETTER_REASONS))
    .option('--span <id>', 'only those of this span')
    .option('--json', 'print one JSON document instead of text');

function print(options: FilterOptions, document: unknown, text: string): void {
  const isJson = options.json === true;
  createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : text);
}

const listCommand = (): Command =>
  filtered('list', 'Lists the spans that could not be recorded, and why.')
    .option('--limit <number>', 'largest number to list', wholeNumber(1, MAX_LIMIT), DEFAULT_LIMIT)
    .action(async (options: FilterOptions & { readonly limit: number }) => {
      const filter = toFilter(options);
      const { letters, counts } = await withDatabase(async ({ pool }) => ({
        letters: await readDeadLetters(pool, filter, { limit: options.limit }),
        counts: await countDeadLetters(pool, filter),
      }));
      print(options, { letters: letters.map(toDocument), counts }, formatDeadLetterList(letters, counts));
    });

const replayCommand = (): Command =>
  filtered('replay', 'Records the spans again; those that succeed are no dead letters any more.').action(
    async (options: FilterOptions) => {
      const replay = await withDatabase(({ pool }) => replayDeadLetters(pool, toFilter(options), new Date()));
      print(options, replay, formatReplay(replay));
    },
  );

const dropCommand = (): Command =>
  filtered('drop', 'Removes dead letters for good.')
    .option('--all', 'all dead letters')
    .action(async (options: FilterOptions & { readonly all?: true }) => {
      const filter = toFilter(options);
      const isFiltered = Object.keys(filter).length > 0;
      if (isFiltered === (options.all === true)) throw wrongFilter(isFiltered);
      const dropped = await withDatabase(({ pool }) => dropDeadLetters(pool, filter));
      print(options, { dropped }, `Removed: ${formatDeadLetters(dropped)}.`);
    });

const wrongFilter = (isFiltered: boolean): CategorizedError =>
  new CategorizedError(
    'validator_internal',
    `Got ${isFiltered ? '--all together with a filter' : 'neither a filter nor --all'}. ` +
      'Allowed: --run, --reason or --span, alone or together; or --all alone. Removal is final.',
  );

/** `barograph dead-letters`: spans that could not be recorded. */
export const deadLettersCommand = (): Command =>
  new Command('dead-letters')
    .description('Lists, replays or removes the spans that could not be recorded.')
    .addCommand(listCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand());
