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
import type { ChangedInput, VerifiedLead } from './compare-scores.ts';
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

/** Lines of one lead that are shown; all are in the JSON document. */
const MOST_LINES = 10;
const SHORT_DIGEST = 12;

/** What became of each lead, for people. */
const formatVerified = (leads: readonly VerifiedLead[]): string =>
  leads.flatMap((lead) => [headOf(lead), ...detailsOf(lead)]).join('\n');

const number = (value: number | null): string => (value === null ? 'none' : value.toPrecision(6));
const short = (digest: string | null): string =>
  digest === null ? 'nothing' : `${digest.slice(0, SHORT_DIGEST)}…`;

const PHRASES: Readonly<Record<VerifiedLead['verdict'], (lead: VerifiedLead) => string>> = {
  equal: ({ score, fields }) =>
    `equal: score ${number(score)}, ${fields} ${fields === 1 ? 'field' : 'fields'}`,
  input_changed: ({ score, score_now: now, changed_inputs: changed, differences }) =>
    `${changed.length} ${changed.length === 1 ? 'field is' : 'fields are'} not what was scored; ` +
    (differences.length === 0 && score === now
      ? 'the scores are the same'
      : `the score was ${number(score)} and would be ${number(now)}`),
  other_version: ({ score, score_now: now }) =>
    `the same fields give other scores by other rules: ${number(score)} was recorded, ${number(now)} now`,
  score_differs: ({ score, score_now: now }) =>
    `WRONG: the same fields and rules give ${number(now)}, and ${number(score)} was recorded`,
  unproved: ({ score, score_now: now }) =>
    `no digests were recorded, so nothing proves what was scored: ${number(score)} was recorded, ${number(now)} now`,
  unreadable: ({ reason }) => `cannot be verified: ${(reason ?? '').replace(/\.$/, '')}`,
};

function headOf(lead: VerifiedLead): string {
  const { score_type: type, lead_hours: hours, verdict } = lead;
  return `${type} ${hours} h: ${PHRASES[verdict](lead)}.${versionNote(lead)}`;
}

/** A comparison between rules is none of the data alone. */
function versionNote({ verdict, scorer_version: recorded, scorer_version_now: now }: VerifiedLead): string {
  if (verdict === 'unreadable' || recorded === now) return '';
  return ` The comparison is between versions of the scorer: ${recorded ?? 'none'} when recorded, ${now} now.`;
}

function detailsOf({
  changed_inputs: changed,
  changed_expver: versions,
  differences,
}: VerifiedLead): string[] {
  const lines = [
    ...versions.map(
      ({ role, before, now }) => `${role}: expver ${before ?? 'none'} when scored, ${now ?? 'none'} now`,
    ),
    ...changed.map(changeLine),
    ...differences.map(
      ({ field, metric, recorded, now }) =>
        `${field} ${metric}: ${number(recorded)} recorded, ${number(now)} now`,
    ),
  ];
  const left = lines.length - MOST_LINES;
  const shown = left > 0 ? [...lines.slice(0, MOST_LINES), `… and ${left} more; --json has all`] : lines;
  return shown.map((line) => `  ${line}`);
}

const changeLine = ({ role, address, field, digest_before: before, digest_now: now }: ChangedInput): string =>
  `${role}${address === null ? '' : ` ${address}`}, ${field}: ${short(before)} when scored, ${short(now)} now`;
