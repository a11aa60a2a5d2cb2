import { Command, InvalidArgumentError, Option } from 'commander';
import type { GridStore } from '#grids';
import { CONVENTIONS, type Convention } from '#scoring/conventions';
import { CategorizedError, VARIABLES, type Variable } from '#semconv';
import { VARIABLE_NAMES } from '#semconv/variable-names';
import { openNamedStore } from '../run/stores.ts';
import { instant } from '../terminal/option-parsers.ts';
import { createOutput, type Output } from '../terminal/output.ts';
import { region, type Region } from './region.ts';
import { formatScores, SCORE_FORMATS, type ScoreFormat } from './score-formats.ts';
import { scoreStores, type ScoreRow } from './score-stores.ts';
import { describeLeftOut } from './shared-fields.ts';

interface ScoreOptions {
  readonly forecast: string;
  readonly truth: string;
  readonly reference?: string;
  readonly climatology?: string;
  readonly variables?: readonly Variable[];
  readonly levels?: readonly number[];
  readonly region?: Region;
  readonly leadFrom?: Date;
  readonly convention: Convention;
  readonly minCoverage?: number;
  readonly format: ScoreFormat;
  readonly json?: true;
  readonly verbose?: true;
}

/** Parses variables by any of their names in the field: `2t`, `t2m` and `2m_temperature` are one. */
function variableList(text: string): readonly Variable[] {
  return text.split(',').map((part) => {
    const found = VARIABLES.find((name) => VARIABLE_NAMES[name].aliases.includes(part.trim()));
    if (found !== undefined) return found;
    throw new InvalidArgumentError(
      `Allowed: ${VARIABLES.join(', ')}, or their names in other stores, separated by commas; got "${part}".`,
    );
  });
}

/** Parses pressure levels in hPa. */
function levelList(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const level = Number(part);
    if (part.trim() !== '' && level > 0 && Number.isFinite(level)) return level;
    throw new InvalidArgumentError(
      `Allowed: levels in hPa separated by commas, for example 850,500; got "${part}".`,
    );
  });
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Allowed: a share from 0 to 1; the gate of the pipeline is 0.9985.');
}

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

const PROGRESS_INTERVAL_MILLIS = 500;
const BYTES_PER_MEGABYTE = 1e6;

/** Progress of a long store, for a person at a terminal alone: a file of it would be noise. */
function createProgress(output: Output, bytesRead: () => number): (done: number, all: number) => void {
  let last = performance.now();
  return (done, all) => {
    const now = performance.now();
    if (!process.stderr.isTTY || now - last < PROGRESS_INTERVAL_MILLIS) return;
    last = now;
    output.progress(
      `${done} of ${all} fields scored, ${(bytesRead() / BYTES_PER_MEGABYTE).toFixed(1)} MB read`,
    );
  };
}

async function printScores(options: ScoreOptions): Promise<void> {
  const bytesOf = new Map<string, number>();
  const open = async (name: string, location: string): Promise<GridStore> =>
    openNamedStore(`--${name}`, location, {
      onRead: (bytes) => bytesOf.set(name, (bytesOf.get(name) ?? 0) + bytes),
    });
  const { reference, climatology, variables, levels } = options;
  const forecast = await open('forecast', options.forecast);
  const truth = await open('truth', options.truth);
  const compared = { forecast, truth, choice: { variables, levels } };
  // Progress and bytes go to standard error, so that they do not disturb JSON.
  const output = createOutput({ isJson: false });
  const bytesRead = (): number => [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0);
  const rows = await scoreStores({
    ...compared,
    ...(reference !== undefined && { reference: await open('reference', reference) }),
    ...(climatology !== undefined && { climatology: await open('climatology', climatology) }),
    ...{ leadFrom: options.leadFrom, convention: options.convention },
    ...{ region: options.region, minCoverage: options.minCoverage },
    onScored: createProgress(output, bytesRead),
  });
  for (const line of describeLeftOut(compared)) output.problem(`Not scored: ${line}`);
  output.result(formatScores[options.json === true ? 'json' : options.format](rows));
  if (options.verbose === true) {
    const stores = [...bytesOf].map(([name, bytes]) => `${name} ${bytes}`).join(', ');
    output.problem(`Bytes read: ${bytesRead()} (${stores}).`);
  }
  requireAllScored(rows);
}

/** `barograph score`: prints the scores of a store and records nothing. */
export function scoreCommand(): Command {
  return new Command('score')
    .description('Prints the scores of every valid time, variable and level that forecast and truth share.')
    .requiredOption('--forecast <store>', 'a directory or an http(s) URL')
    .requiredOption('--truth <store>', 'store to compare with')
    .option('--reference <store>', 'forecast that skill_score_gfs is measured against')
    .option('--climatology <store>', 'climatology that acc and skill_score_climatology are measured against')
    .option('--variables <names>', 'only these variables, separated by commas', variableList)
    .option('--levels <hPa>', 'only these levels of upper-air variables, separated by commas', levelList)
    .option('--region <lat0,lat1,lon0,lon1>', 'only points within, longitudes from west to east', region)
    .option('--lead-from <time>', 'T0, from which leads are counted', instant)
    .addOption(
      new Option('--convention <name>', 'whose definitions the scores follow, see docs/scores.md')
        .choices(CONVENTIONS)
        .default('barograph'),
    )
    .option('--min-coverage <share>', 'share of the truth below which a field has no skill', share)
    .addOption(new Option('--format <name>', 'how rows are printed').choices(SCORE_FORMATS).default('table'))
    .addOption(new Option('--json', 'the same as --format json').conflicts('format'))
    .option('--verbose', 'print how many bytes of each store were read')
    .action(printScores);
}
