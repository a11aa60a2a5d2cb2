import type { ClientBase } from 'pg';
import type { ComponentScoreFact } from '#facts/step-fact';
import type { CellType } from '../sql/binary/cells.ts';
import { copyNewRows, COPY_MIN_ROWS } from '../sql/binary/copy.ts';
import { column, insertRows, replaceOnConflict, type Column } from '../sql/columns.ts';
import { ofMiners, type MinerFact, type RecordedFact } from './recorded-fact.ts';
import { responseId } from './response-id.ts';

interface ScoreRow extends MinerFact {
  readonly responseId: number;
  readonly score: ComponentScoreFact;
}

const of = (name: string, type: CellType, value: (score: ComponentScoreFact) => unknown): Column<ScoreRow> =>
  column(name, type, ({ score }) => value(score));

/** `quality_penalty` and `weighted_score` stay null: no rule defines them. */
const COLUMNS: readonly Column<ScoreRow>[] = [
  column('validator_id', 'int', ({ validatorId }) => validatorId),
  column('run_id', 'bigint', ({ fact }) => fact.runId),
  column('response_id', 'bigint', (row) => row.responseId),
  column('miner_uid', 'int', ({ fact }) => fact.minerUid),
  column('miner_hotkey', 'text', ({ minerHotkey }) => minerHotkey),
  of('score_type', 'text', (score) => score.scoreType),
  of('lead_hours', 'int', (score) => score.leadHours),
  of('valid_time_utc', 'timestamptz', (score) => score.validTime),
  of('variable_name', 'text', (score) => score.variableName),
  of('pressure_level', 'int', (score) => score.pressureLevel),
  of('rmse', 'float8', (score) => score.rmse),
  of('mse', 'float8', (score) => score.mse),
  of('acc', 'float8', (score) => score.acc),
  of('skill_score', 'float8', (score) => score.skillScore),
  of('skill_score_gfs', 'float8', (score) => score.skillScoreGfs),
  of('skill_score_climatology', 'float8', (score) => score.skillScoreClimatology),
  of('plain_skill_score_gfs', 'float8', (score) => score.plainSkillScoreGfs),
  of('plain_skill_score_climatology', 'float8', (score) => score.plainSkillScoreClimatology),
  of('coverage', 'float8', (score) => score.coverage),
  of('bias', 'float8', (score) => score.bias),
  of('mae', 'float8', (score) => score.mae),
  of('climatology_check_passed', 'boolean', (score) => score.climatologyCheckPassed),
  of('pattern_correlation', 'float8', (score) => score.patternCorrelation),
  of('pattern_correlation_passed', 'boolean', (score) => score.patternCorrelationPassed),
  of('clone_penalty', 'float8', (score) => score.clonePenalty),
  of('variable_weight', 'float8', (score) => score.variableWeight),
  of('calculated_at', 'timestamptz', (score) => score.calculatedAt),
  of('calculation_duration_ms', 'float8', (score) => score.calculationDurationMs),
  of('failed_check', 'text', (score) => score.failedCheck),
  of('reason', 'text', (score) => score.reason),
  of('forecast_digest', 'bytea', (score) => score.forecastDigest),
  of('truth_digest', 'bytea', (score) => score.truthDigest),
  of('reference_digest', 'bytea', (score) => score.referenceDigest),
  of('climatology_digest', 'bytea', (score) => score.climatologyDigest),
  column('trace_id', 'text', ({ fact }) => fact.traceId),
  column('span_id', 'text', ({ fact }) => fact.spanId),
];

const TABLE = 'weather_forecast_component_scores';

const KEY = [
  'validator_id',
  'run_id',
  'miner_hotkey',
  'score_type',
  'lead_hours',
  'variable_name',
  'pressure_level',
  'valid_time_utc',
];

const CONFLICT = `${replaceOnConflict(COLUMNS, KEY)}
  where (excluded.calculated_at, excluded.span_id) > (existing.calculated_at, existing.span_id)`;

function componentScoreKey({ validatorId, fact, minerHotkey, score }: ScoreRow): string {
  const { scoreType, leadHours, variableName, pressureLevel, validTime } = score;
  return [
    validatorId,
    fact.runId,
    minerHotkey,
    scoreType,
    leadHours,
    variableName,
    pressureLevel,
    validTime,
  ].join('/');
}

const isNewer = (a: ScoreRow, b: ScoreRow): boolean =>
  a.score.calculatedAt - b.score.calculatedAt > 0 ||
  (a.score.calculatedAt === b.score.calculatedAt && a.fact.spanId > b.fact.spanId);

function toScoreRows(facts: readonly RecordedFact[]): readonly ScoreRow[] {
  const rows: ScoreRow[] = [];
  for (const { validatorId, fact, minerHotkey } of ofMiners(facts)) {
    if (fact.componentScores.length === 0) continue;
    const id = responseId(fact.runId, minerHotkey);
    for (const score of fact.componentScores)
      rows.push({ validatorId, fact, minerHotkey, responseId: id, score });
  }
  return rows;
}

/** The newest score of each key, in key order. */
function newestScores(rows: readonly ScoreRow[]): readonly ScoreRow[] {
  const newest = new Map<string, ScoreRow>();
  for (const row of rows) {
    const key = componentScoreKey(row);
    const known = newest.get(key);
    if (known === undefined || isNewer(row, known)) newest.set(key, row);
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** Upserts component scores, last writer wins: of two scorings of one field the later calculation stays. */
export async function writeComponentScores(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<number> {
  const rows = toScoreRows(facts);
  if (rows.length === 0) return 0;
  if (rows.length >= COPY_MIN_ROWS && (await copyNewRows(client, TABLE, COLUMNS, rows))) return rows.length;
  const insert = await insertRows(`${TABLE} as existing`, COLUMNS, newestScores(rows), CONFLICT);
  const result = await client.query(insert.text, insert.values);
  return result.rowCount ?? 0;
}
