import { Command } from 'commander';
import type { Pool } from 'pg';
import { loadStoreLocations } from '#pipeline/control/run-row';
import { readRecordedScores, type RecordedScores } from '#reports/recorded-scores';
import { resolveValidator, runSubject } from '#reports/resolve-validator';
import { CategorizedError, INPUT_ROLES } from '#semconv';
import { printableText } from '#semconv/printable-text';
import { validatorOfRunOption, wholeNumber } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { withDatabase } from '../with-database.ts';
import { formatVerified } from './format-verified.ts';
import { verifyLeads, type Locations } from './rescore-leads.ts';

interface VerifyOptions extends Locations {
  readonly run: number;
  readonly miner: string;
  readonly lead?: number;
  readonly validator?: string;
  readonly json?: true;
}

/** `barograph verify-scores`: scores a recorded forecast again and compares; changes nothing. */
export function verifyScoresCommand(): Command {
  return new Command('verify-scores')
    .description(
      'Scores a recorded forecast again from its stores, and names what is not as it was recorded.',
    )
    .requiredOption('--run <id>', 'the run', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--miner <uid or hotkey>', 'the miner')
    .option('--lead <hours>', 'one lead only', wholeNumber(0, 1000))
    .addOption(validatorOfRunOption())
    .option('--forecast <store>', 'the forecast of the miner: a directory or an http(s) URL')
    .option('--truth <store>', 'ERA5; without it, and so on, where it was when the run was created')
    .option('--climatology <store>', 'climatology')
    .option('--reference <store>', 'the GFS forecast from T0')
    .option('--analysis <store>', 'the GFS analysis, truth of day one, where the run had one')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: VerifyOptions) => {
      const isJson = options.json === true;
      const { scores, locations } = await withDatabase(({ pool }) => readScores(pool, options));
      const leads = await verifyLeads(scores.leads, { ...locations, ...locationsOf(options) });
      const { miner_uid, miner_hotkey } = scores;
      const document = { run_id: options.run, miner_uid, miner_hotkey, leads };
      createOutput({ isJson }).result(isJson ? JSON.stringify(document, null, 2) : formatVerified(leads));
      if (leads.some(({ verdict }) => verdict !== 'equal')) process.exitCode = 1;
    });
}

const locationsOf = (options: VerifyOptions): Locations =>
  Object.fromEntries(
    INPUT_ROLES.flatMap((role) => {
      const location = options[role];
      return location === undefined ? [] : [[role, location]];
    }),
  );

/** @throws CategorizedError when no score is recorded, or the run is of several validators */
async function readScores(
  pool: Pool,
  { run, miner, lead, validator }: VerifyOptions,
): Promise<{ readonly scores: RecordedScores; readonly locations: Locations }> {
  const validatorHotkey = await resolveValidator(pool, validator, runSubject(run));
  const scores =
    validatorHotkey === null
      ? null
      : await readRecordedScores(pool, { validatorHotkey, runId: run, miner, lead });
  if (scores !== null && validatorHotkey !== null && scores.leads.length > 0)
    return { scores, locations: await loadStoreLocations(pool, { runId: run, validatorHotkey }) };
  const ofValidator = validatorHotkey === null ? '' : ` of validator ${printableText(validatorHotkey)}`;
  const ofLead = lead === undefined ? '' : ` at ${lead} h`;
  throw new CategorizedError(
    'not_found',
    `No score was recorded of miner ${miner} in run ${run}${ofLead}${ofValidator}. ` +
      'Recorded: select distinct run_id, miner_uid, lead_hours from weather_forecast_component_scores.',
  );
}
