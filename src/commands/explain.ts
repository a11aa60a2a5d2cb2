import { Command } from 'commander';
import { totalsOf } from '#reports/attempt-totals';
import { explain } from '#reports/explain';
import { readExplanation } from '#reports/explanation';
import { CategorizedError } from '#semconv';
import { wholeNumber } from './terminal/option-parsers.ts';
import { createOutput } from './terminal/output.ts';
import { withDatabase } from './with-database.ts';

interface ExplainOptions {
  readonly run: number;
  readonly miner: string;
  readonly json?: true;
}

/** `barograph explain`: the history of one miner in one run, as text. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Shows the history of a miner in a run: each attempt, error, retry, wait and score.')
    .requiredOption('--run <id>', 'the run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--miner <uid or hotkey>', 'the miner')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: ExplainOptions) => {
      const isJson = options.json === true;
      const explanation = await withDatabase(({ pool }) => readExplanation(pool, options.run, options.miner));
      if (explanation === null) {
        throw new CategorizedError(
          'not_found',
          `Nothing was recorded of miner ${options.miner} in run ${options.run}. ` +
            'Recorded: select run_id, miner_uid, miner_hotkey from weather_forecast_stats.',
        );
      }
      const document = { ...explanation, totals: totalsOf(explanation.attempts) };
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : explain(explanation));
    });
}
