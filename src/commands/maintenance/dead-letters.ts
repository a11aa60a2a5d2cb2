import { Command, Option } from 'commander';
import type { Pool } from 'pg';
import {
  countDeadLetters,
  dropDeadLetters,
  readDeadLetters,
  replayDeadLetters,
  type DeadLetterFilter,
} from '#maintenance/dead-letters';
import { deadLetterSubject, resolveValidator } from '#reports/resolve-validator';
import { CategorizedError, DEAD_LETTER_REASONS, type DeadLetterReason } from '#semconv';
import { formatDeadLetterList, formatDeadLetters, formatReplay, toDocument } from './format-dead-letters.ts';
import { validatorOption, wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';

interface FilterOptions {
  readonly validator?: string;
  readonly run?: number;
  readonly reason?: DeadLetterReason;
  readonly span?: string;
  readonly json?: true;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

/**
 * A validator that is named has only the letters that name it. Otherwise the letters of a run that name none belong to
 * the only validator that has some: often that it is not named is what is wrong with them.
 *
 * @throws CategorizedError when the validator is unknown, or several have dead letters of the run
 */
async function toFilter(
  pool: Pool,
  { validator, run, reason, span }: FilterOptions,
): Promise<DeadLetterFilter> {
  const subject = run === undefined ? null : deadLetterSubject(run);
  const validatorHotkey = await resolveValidator(pool, validator, subject);
  return {
    ...(validatorHotkey === null ? {} : { validatorHotkey, includesUnnamed: validator === undefined }),
    ...(run === undefined ? {} : { runId: run }),
    ...(reason === undefined ? {} : { reason }),
    ...(span === undefined ? {} : { spanId: span }),
  };
}

/** A subcommand with the filter options. */
const filtered = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .addOption(validatorOption('only those of this validator; needed where several have some of one run'))
    .option('--run <id>', 'only those of this run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--reason <reason>', 'only those with this reason').choices(DEAD_LETTER_REASONS))
    .option('--span <id>', 'only those of this span')
    .option('--json', 'print one JSON document instead of text');

/** Prints what became of the letters that the filter selects. */
function print(
  options: FilterOptions,
  { validatorHotkey = null }: { readonly validatorHotkey?: string | null },
  { document, text }: { readonly document: object; readonly text: string },
): void {
  const isJson = options.json === true;
  const whole = { validator_hotkey: validatorHotkey, ...document };
  createOutput({ isJson }).result(isJson ? JSON.stringify(whole, null, 2) : text);
}

const listCommand = (): Command =>
  filtered('list', 'Lists the spans that could not be recorded, and why.')
    .option('--limit <number>', 'largest number to list', wholeNumber(1, MAX_LIMIT), DEFAULT_LIMIT)
    .action(async (options: FilterOptions & { readonly limit: number }) => {
      const { filter, letters, counts } = await withDatabase(async ({ pool }) => {
        const filter = await toFilter(pool, options);
        const letters = await readDeadLetters(pool, filter, { limit: options.limit });
        return { filter, letters, counts: await countDeadLetters(pool, filter) };
      });
      const document = { letters: letters.map(toDocument), counts };
      print(options, filter, { document, text: formatDeadLetterList(letters, counts) });
    });

const replayCommand = (): Command =>
  filtered('replay', 'Records the spans again; those that succeed are no dead letters any more.').action(
    async (options: FilterOptions) => {
      const { filter, replay } = await withDatabase(async ({ pool }) => {
        const filter = await toFilter(pool, options);
        return { filter, replay: await replayDeadLetters(pool, filter, new Date()) };
      });
      print(options, filter, { document: replay, text: formatReplay(replay) });
    },
  );

const dropCommand = (): Command =>
  filtered('drop', 'Removes dead letters for good.')
    .option('--all', 'all dead letters')
    .action(async (options: FilterOptions & { readonly all?: true }) => {
      const { validator, run, reason, span } = options;
      const isFiltered = [validator, run, reason, span].some((value) => value !== undefined);
      if (isFiltered === (options.all === true)) throw wrongFilter(isFiltered);
      const { filter, dropped } = await withDatabase(async ({ pool }) => {
        const filter = await toFilter(pool, options);
        return { filter, dropped: await dropDeadLetters(pool, filter) };
      });
      print(options, filter, { document: { dropped }, text: `Removed: ${formatDeadLetters(dropped)}.` });
    });

const wrongFilter = (isFiltered: boolean): CategorizedError =>
  new CategorizedError(
    'validator_internal',
    `Got ${isFiltered ? '--all together with a filter' : 'neither a filter nor --all'}. ` +
      'Allowed: --validator, --run, --reason or --span, alone or together; or --all alone. Removal is final.',
  );

/** `barograph dead-letters`: spans that could not be recorded. */
export const deadLettersCommand = (): Command =>
  new Command('dead-letters')
    .description('Lists, replays or removes the spans that could not be recorded.')
    .addCommand(listCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand());
