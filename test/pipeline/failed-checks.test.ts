import { beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { toObservedSpan } from '#processor/observed-span';
import { readRunReport } from '#reports/run-report';
import { CategorizedError } from '#semconv';
import { attributesOf, statusOf } from './support/captured-spans.ts';
import { useFreshBench } from './support/fresh-bench.ts';
import { ALL_LEADS, goodForecast, tinyStores } from './support/pipeline-bench.ts';
import { stubMiners, type MinerScript } from './support/stub-miners.ts';
import { tinyFiles, VALIDATOR, type TinyStore } from './support/tiny-world.ts';

const { spans, bench } = useFreshBench();
let files: ReadonlyMap<string, Uint8Array>;
beforeAll(async () => {
  files = await goodForecast();
});

/** Runs one miner, and records the spans of the run. */
async function runWith(script: Partial<MinerScript>): Promise<void> {
  const stub = stubMiners([{ files, ...script }]);
  const pipeline = bench.open(stub, await tinyStores());
  await bench.run(pipeline, stub);
  await pipeline.stop();
  const exporter = createPostgresExporter({ pool: bench.database.pool });
  const observed = spans.of().map((span) => toObservedSpan(span, 'ended'));
  expect(await exporter.exportObserved(observed)).toEqual({ kind: 'written' });
}
const runForecast = async (forecast: Partial<TinyStore>): Promise<void> =>
  runWith({ files: await tinyFiles({ leads: ALL_LEADS, error: 0.1, phase: 1, ...forecast }) });

const FIELDS = ['10u', '2t', 'msl', 'z500', 'z850'];
/** `24 z500 coverage` for each field that failed a check. */
async function failedChecks(where = 'true'): Promise<readonly string[]> {
  const { rows } = await bench.database.pool.query<{ line: string }>(
    `select concat(lead_hours, ' ', variable_name, pressure_level, ' ', failed_check) as line from failed_checks
     where ${where} order by lead_hours, variable_name collate "C", pressure_level`,
  );
  return rows.map(({ line }) => line);
}
interface ComponentRow {
  readonly field: string;
  readonly rmse: number | null;
  readonly failed_check: string | null;
  readonly reason: string | null;
}
async function componentsOf(lead: number): Promise<readonly ComponentRow[]> {
  const { rows } = await bench.database.pool.query<ComponentRow>(
    `select concat(variable_name, pressure_level) as field, rmse, failed_check, reason
     from weather_forecast_component_scores where lead_hours = $1
     order by variable_name collate "C", pressure_level`,
    [lead],
  );
  return rows;
}
const scoredFields = async (lead: number): Promise<readonly string[]> =>
  (await componentsOf(lead)).flatMap(({ field, rmse }) => (rmse === null ? [] : [field]));
const forecastRow = async (): Promise<Record<string, unknown>> => {
  const { rows } = await bench.database.pool.query<Record<string, unknown>>(
    `select forecast_status, forecast_score_initial as day1, era5_score_24h as "24", era5_score_48h as "48",
       avg_rmse, avg_acc, avg_skill_score from weather_forecast_stats`,
  );
  return rows[0] ?? {};
};
const outcomes = (): unknown[] =>
  [...spans.of('day1'), ...spans.of('era5')]
    .map((span) => attributesOf(span, 'weather.lead_hours', 'weather.step.status', 'error.type'))
    .toSorted(([one], [other]) => Number(one) - Number(other));
const reasonOf = (lead: number): unknown =>
  [...spans.of('day1'), ...spans.of('era5')].find(
    ({ attributes }) => attributes['weather.lead_hours'] === lead,
  )?.attributes['weather.score.reason'];
const NO_AVERAGES = { avg_rmse: null, avg_acc: null, avg_skill_score: null };

describe('the checks of the fields of a forecast', () => {
  it('each field of an all-NaN forecast has a row with the check and no score, on every lead', async () => {
    await runForecast({ nanEvery: 1 });
    expect(await failedChecks()).toEqual(
      ALL_LEADS.flatMap((lead) =>
        FIELDS.filter((field) => lead !== 12 || field !== 'z850').map((field) => `${lead} ${field} coverage`),
      ),
    );
    expect(await scoredFields(24)).toEqual([]);
    expect(outcomes()).toEqual(ALL_LEADS.map((lead) => [lead, 'failed', 'data_coverage']));
    expect(await forecastRow()).toMatchObject({
      forecast_status: 'failed',
      day1: null,
      24: null,
      ...NO_AVERAGES,
    });
  });

  it('one NaN level fails the lead as before, and the other fields of it have scores', async () => {
    await runForecast({ nanIn: ['z850'] });
    expect(await failedChecks()).toEqual(['24 z850 coverage', '48 z850 coverage']);
    expect(await scoredFields(24)).toEqual(['10u', '2t', 'msl', 'z500']);
    expect((await componentsOf(24)).at(-1)?.reason).toBe(
      'Field z850 of the forecast is not scored: data_coverage is 0, the limit is 0.1.',
    );
    expect(outcomes()).toEqual([
      [12, 'succeeded', undefined],
      [24, 'failed', 'data_coverage'],
      [48, 'failed', 'data_coverage'],
    ]);
  });

  it('the scored fields of a failed lead do not enter the averages of the forecast', async () => {
    await runForecast({ nanIn: ['z850'] });
    const { rows } = await bench.database.pool.query(
      `select avg(rmse) as avg_rmse, avg(acc) as avg_acc, avg(skill_score) as avg_skill_score
       from weather_forecast_component_scores where score_type = 'day1'`,
    );
    const { avg_rmse: rmse, ...row } = await forecastRow();
    expect(row).toMatchObject({ 24: null, 48: null });
    expect(rmse).toBeCloseTo((rows[0] as { avg_rmse: number }).avg_rmse, 9);
  });

  it('a variable that the forecast lacks has rows without scores, and the lead is scored on the others', async () => {
    await runForecast({ without: ['z'] });
    expect(await failedChecks()).toEqual([
      '12 z500 missing_variable',
      ...[24, 48].flatMap((lead) => [`${lead} z500 missing_variable`, `${lead} z850 missing_variable`]),
    ]);
    expect(await scoredFields(24)).toEqual(['10u', '2t', 'msl']);
    expect(outcomes()).toEqual(ALL_LEADS.map((lead) => [lead, 'succeeded', undefined]));
  });

  it('a variable that failed its check on every lead is bad, not missing, in the report of the run', async () => {
    await runForecast({ nanIn: ['2t'] });
    expect(await failedChecks('lead_hours = 24')).toEqual(['24 2t coverage']);
    const report = await readRunReport(bench.database.pool, { validatorHotkey: VALIDATOR, runId: 1 });
    // The tiny world has no truth for these.
    expect(report?.miners[0]?.missing_variables).toEqual(['10v', 'q', 't', 'u', 'v']);
  });

  it('extreme values are named with the field, and the first bad field still decides the category', async () => {
    await runForecast({ scale: { msl: 1e9 }, nanIn: ['z500'] });
    expect(await failedChecks('lead_hours = 24')).toEqual(['24 msl extreme_value', '24 z500 coverage']);
    expect(outcomes().at(1)).toEqual([24, 'failed', 'data_extreme']);
    expect(reasonOf(24)).toMatch(/^Field msl of the forecast is not scored: data_extreme/);
  });

  it('a file that is not the frozen one fails its field alone, and the other fields are still looked at', async () => {
    const isSwapped = (path: string): boolean => /^(msl|z)\/1\./.test(path);
    await runWith({
      hosted: (_opening, path, content) =>
        isSwapped(path) && content ? content.map((byte) => byte ^ 1) : content,
    });
    expect(await failedChecks()).toEqual([
      '24 msl manifest_mismatch',
      '24 z500 manifest_mismatch',
      '24 z850 manifest_mismatch',
    ]);
    expect(await scoredFields(24)).toEqual(['10u', '2t']);
    expect(outcomes().at(1)).toEqual([24, 'failed', 'verification_chunk']);
    expect(reasonOf(24)).toContain('msl');
  });

  it('a lead that the forecast does not reach has a row for each field', async () => {
    await runForecast({ leads: [12, 24] });
    expect(await failedChecks()).toEqual(FIELDS.map((field) => `48 ${field} missing_time`));
    expect(outcomes().at(-1)).toEqual([48, 'failed', 'data_missing_variable']);
  });
});

describe('a connection that fails while the fields are looked at', () => {
  const lost = new CategorizedError('connection', 'the connection was lost', { retryable: true });
  /** Loses the connection at every file of the second variable and after it, while the lead is tried first. */
  const losing =
    (isLost: (opening: number, path: string) => boolean, read: string[] = []) =>
    (opening: number, path: string, content: Uint8Array | undefined): Uint8Array | undefined => {
      if (/^\w+\/1\./.test(path)) read.push(`${opening} ${path}`);
      if (isLost(opening, path)) throw lost;
      return content;
    };

  it('a lost connection is no bad field: nothing more is read, the lead is retried, and it leaves no row', async () => {
    const read: string[] = [];
    let failures = 0;
    await runWith({
      hosted: losing((_opening, path) => path.startsWith('msl/1.') && (failures += 1) === 1, read),
    });
    const leads = spans.of('era5').filter(({ attributes }) => attributes['weather.lead_hours'] === 24);
    expect(leads.map(statusOf)).toEqual(['retry_scheduled', 'succeeded']);
    expect(leads[0]?.events.filter(({ name }) => name === 'weather.component_score')).toEqual([]);
    const [first] = read;
    const opening = String(first).split(' ')[0] ?? '';
    expect(read.filter((line) => line.startsWith(`${opening} `))).toEqual([
      `${opening} 2t/1.0.0`,
      `${opening} msl/1.0.0`,
    ]);
    expect(await failedChecks()).toEqual([]);
    expect(await scoredFields(24)).toEqual(FIELDS);
  });

  it('a connection that is lost after a bad field leaves the category to the field, and ends the reading', async () => {
    const bad = await tinyFiles({ leads: ALL_LEADS, error: 0.1, phase: 1, nanIn: ['2t'] });
    await runWith({ files: bad, hosted: losing((_opening, path) => path.startsWith('10u/1.')) });
    expect(outcomes().at(1)).toEqual([24, 'failed', 'data_coverage']);
    expect((await componentsOf(24)).map(({ field }) => field)).toEqual(['2t', 'msl']);
    expect(await failedChecks('lead_hours = 24')).toEqual(['24 2t coverage']);
  });
});
