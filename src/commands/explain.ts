import { Command } from 'commander';
import type { Pool } from 'pg';
import { totalsOf } from '#reports/attempt-totals';
import { explain } from '#reports/explain';
import { readExplanation, type Explanation } from '#reports/explanation';
import { resolveValidator, runSubject } from '#reports/resolve-validator';
import { CategorizedError } from '#semconv';
import { printableText } from '#semconv/printable-text';
import { validatorOfRunOption, wholeNumber } from './terminal/option-parsers.ts';
import { createOutput } from './terminal/output.ts';
import { withDatabase } from './with-database.ts';

interface ExplainOptions {
  readonly run: number;
  readonly miner: string;
  readonly validator?: string;
  readonly json?: true;
}

/** `barograph explain`: the history of one miner in one run, as text. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Shows the history of a miner in a run: each attempt, error, retry, wait and score.')
    .requiredOption('--run <id>', 'the run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--miner <uid or hotkey>', 'the miner')
    .addOption(validatorOfRunOption())
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: ExplainOptions) => {
      const isJson = options.json === true;
      const explanation = await withDatabase(({ pool }) => readHistory(pool, options));
      const document = { ...explanation, totals: totalsOf(explanation.attempts) };
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : explain(explanation));
    });
}

/** @throws CategorizedError when nothing is recorded, or the run is of several validators */
async function readHistory(pool: Pool, { run, miner, validator }: ExplainOptions): Promise<Explanation> {
  const validatorHotkey = await resolveValidator(pool, validator, runSubject(run));
  const explanation =
    validatorHotkey === null ? null : await readExplanation(pool, { validatorHotkey, runId: run, miner });
  if (explanation !== null) return explanation;
  const ofValidator = validatorHotkey === null ? '' : ` of validator ${printableText(validatorHotkey)}`;
  throw new CategorizedError(
    'not_found',
    `Nothing was recorded of miner ${miner} in run ${run}${ofValidator}. ` +
      'Recorded: select validator_id, run_id, miner_uid, miner_hotkey from weather_forecast_stats.',
  );
}
