import { Command } from 'commander';
import { CategorizedError } from '#semconv';
import { describeLeftOut, scoreStores, type ScoreRow } from './score-stores.ts';
import { textTable, type TextColumn } from '#reports/text-table';
import { instant } from '../terminal/option-parsers.ts';
import { createOutput } from '../terminal/output.ts';
import { openNamedStore } from '../run/stores.ts';

interface ScoreOptions {
  readonly forecast: string;
  readonly truth: string;
  readonly reference?: string;
  readonly climatology?: string;
  readonly leadFrom?: Date;
  readonly json?: true;
}

const number = (heading: string, value: (row: ScoreRow) => number | null): TextColumn<ScoreRow> => ({
  heading,
  value: (row) => value(row)?.toPrecision(5) ?? '–',
  isNumber: true,
});

const COLUMNS: readonly TextColumn<ScoreRow>[] = [
  { heading: 'valid time', value: (row) => row.valid_time_utc },
  { heading: 'lead', value: (row) => String(row.lead_hours ?? '–'), isNumber: true },
  { heading: 'variable', value: (row) => row.variable },
  { heading: 'hPa', value: (row) => String(row.pressure_level ?? '–'), isNumber: true },
  number('rmse', (row) => row.rmse),
  number('mae', (row) => row.mae),
  number('bias', (row) => row.bias),
  number('acc', (row) => row.acc),
  number('skill gfs', (row) => row.skill_score_gfs),
  number('skill clim', (row) => row.skill_score_climatology),
  {
    heading: 'coverage',
    value: ({ coverage }) => (coverage === null ? '–' : `${(100 * coverage).toFixed(1)} %`),
    isNumber: true,
  },
];

const FAILED_CHECK: TextColumn<ScoreRow> = {
  heading: 'failed check',
  value: ({ failed_check: check }) => check ?? '',
};

/** @throws CategorizedError when a field could not be scored, so that a script sees it by the exit code */
function requireAllScored(rows: readonly ScoreRow[]): void {
  const failed = rows.filter(({ failed_check: check }) => check !== undefined);
  const [first] = failed;
  if (first === undefined) return;
  throw new CategorizedError(
    'invalid_response',
    `${failed.length} of ${rows.length} fields of the forecast could not be read; the first of them: ${first.reason ?? ''}`,
  );
}

/** `barograph score`: prints the scores of a store and records nothing. */
export function scoreCommand(): Command {
  return new Command('score')
    .description('Prints the scores of every valid time, variable and level that forecast and truth share.')
    .requiredOption('--forecast <store>', 'a directory or an http(s) URL')
    .requiredOption('--truth <store>', 'store to compare with')
    .option('--reference <store>', 'forecast that skill_score_gfs is measured against')
    .option('--climatology <store>', 'climatology that acc and skill_score_climatology are measured against')
    .option('--lead-from <time>', 'T0, from which leads are counted', instant)
    .option('--json', 'print one JSON document instead of the table')
    .action(async (options: ScoreOptions) => {
      const { reference, climatology, leadFrom } = options;
      const forecast = await openNamedStore('--forecast', options.forecast);
      const truth = await openNamedStore('--truth', options.truth);
      const rows = await scoreStores({
        forecast,
        truth,
        ...(reference === undefined ? {} : { reference: await openNamedStore('--reference', reference) }),
        ...(climatology === undefined
          ? {}
          : { climatology: await openNamedStore('--climatology', climatology) }),
        ...(leadFrom === undefined ? {} : { leadFrom }),
      });
      const isJson = options.json === true;
      const output = createOutput({ isJson });
      for (const line of describeLeftOut({ forecast, truth })) output.problem(`Not scored: ${line}`);
      const columns = rows.some((row) => row.failed_check !== undefined)
        ? [...COLUMNS, FAILED_CHECK]
        : COLUMNS;
      output.result(isJson ? JSON.stringify(rows, null, 1) : textTable(columns, rows));
      requireAllScored(rows);
    });
}
