import { Command, Option } from 'commander';
import {
  countDeadLetters,
  dropDeadLetters,
  readDeadLetters,
  replayDeadLetters,
  type DeadLetterFilter,
} from '#maintenance/dead-letters';
import { CategorizedError, DEAD_LETTER_REASONS, type DeadLetterReason } from '#semconv';
import { deadLetterList, formatDeadLetters, formatReplay, toDocument } from './format-dead-letters.ts';
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

/** A command on the letters of a run, of a reason, of a span. */
const filtered = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--run <id>', 'those of this run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--reason <reason>', 'those with this reason').choices(DEAD_LETTER_REASONS))
    .option('--span <id>', 'those of this span')
    .option('--json', 'print one JSON document instead of words');

function printResult(options: FilterOptions, document: unknown, words: string): void {
  const isJson = options.json === true;
  createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : words);
}

const listCommand = (): Command =>
  filtered('list', 'Shows the spans that could not be recorded, and why.')
    .option('--limit <number>', 'at most so many', wholeNumber(1, MAX_LIMIT), DEFAULT_LIMIT)
    .action(async (options: FilterOptions & { readonly limit: number }) => {
      const filter = toFilter(options);
      const { letters, counts } = await withDatabase(async ({ pool }) => ({
        letters: await readDeadLetters(pool, filter, { limit: options.limit }),
        counts: await countDeadLetters(pool, filter),
      }));
      printResult(options, { letters: letters.map(toDocument), counts }, deadLetterList(letters, counts));
    });

const replayCommand = (): Command =>
  filtered('replay', 'Hands the spans over again, for good when what kept them out is gone.').action(
    async (options: FilterOptions) => {
      const replay = await withDatabase(({ pool }) => replayDeadLetters(pool, toFilter(options), new Date()));
      printResult(options, replay, formatReplay(replay));
    },
  );

const dropCommand = (): Command =>
  filtered('drop', 'Removes dead letters for good.')
    .option('--all', 'all of them')
    .action(async (options: FilterOptions & { readonly all?: true }) => {
      const filter = toFilter(options);
      const isFiltered = Object.keys(filter).length > 0;
      if (isFiltered === (options.all === true)) throw wrongFilter(isFiltered);
      const dropped = await withDatabase(({ pool }) => dropDeadLetters(pool, filter));
      printResult(options, { dropped }, `Removed: ${formatDeadLetters(dropped)}.`);
    });

const wrongFilter = (isFiltered: boolean): CategorizedError =>
  new CategorizedError(
    'validator_internal',
    `Got ${isFiltered ? '--all together with a filter' : 'neither a filter nor --all'}. ` +
      'Allowed: --run, --reason or --span, alone or together; or --all alone. Say which letters are removed for good.',
  );

/** `barograph dead-letters`: spans that could not be recorded. */
export const deadLettersCommand = (): Command =>
  new Command('dead-letters')
    .description('Shows, replays or removes the spans that could not be recorded.')
    .addCommand(listCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand());
