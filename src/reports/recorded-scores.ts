import type { Pool } from 'pg';
import type { FieldCheck, InputRole, ScoreType, StoreKind } from '#semconv';
import { utcText } from './utc-text.ts';

/** The metrics of a field that its row holds. */
export const FIELD_METRICS = [
  'rmse',
  'mse',
  'mae',
  'bias',
  'acc',
  'skill_score',
  'skill_score_gfs',
  'skill_score_climatology',
  'plain_skill_score_gfs',
  'plain_skill_score_climatology',
  'coverage',
] as const;
export type FieldMetric = (typeof FIELD_METRICS)[number];

/** The recorded scores of one field, and the digests of what it was made from. */
export type RecordedField = Readonly<Record<FieldMetric, number | null>> & {
  readonly variable: string;
  /** hPa; null at the surface. */
  readonly level: number | null;
  readonly failed_check: FieldCheck | null;
  readonly digests: Readonly<Record<'forecast' | 'truth' | 'reference' | 'climatology', string | null>>;
};

/** A store that a scoring read. */
export interface RecordedInput {
  readonly role: InputRole;
  readonly kind: StoreKind;
  readonly address: string | null;
  readonly digest: string | null;
  readonly expver: string | null;
}

/** One scored lead of a forecast, by its newest scoring. */
export interface RecordedLead {
  readonly score_type: ScoreType;
  readonly lead_hours: number;
  readonly valid_time: string;
  readonly score: number | null;
  /** Null for a scoring of an earlier version, and of another program. */
  readonly scorer_version: string | null;
  readonly inputs: readonly RecordedInput[];
  readonly fields: readonly RecordedField[];
}

/** The recorded scores of a forecast. */
export interface RecordedScores {
  readonly miner_uid: number | null;
  readonly miner_hotkey: string;
  readonly leads: readonly RecordedLead[];
}

const FORECAST = `
  select validator_id, miner_uid, miner_hotkey from weather_forecast_stats
  where (validator_id, run_id) = ((select id from validators where hotkey = $1), $2)
    and (miner_hotkey = $3 or miner_uid::text = $3)
  order by updated_at desc limit 1`;

const LEADS = `
  select field.score_type, field.lead_hours, ${utcText('min(field.valid_time_utc)')} as valid_time,
    (select coalesce(step.facts #>> '{state,scoreEra5}', step.facts #>> '{state,scoreInitial}')::float8
     from weather_forecast_steps as step
     where (step.validator_id, step.run_id, step.miner_hotkey) = ($1, $2, $3)
       and (step.trace_id, step.span_id) = (field.trace_id, field.span_id)
       and step.status <> 'in_progress') as score,
    (select min(input.scorer_version) from score_inputs as input
     where (input.validator_id, input.run_id, input.miner_hotkey) = ($1, $2, $3)
       and (input.trace_id, input.span_id) = (field.trace_id, field.span_id)) as scorer_version,
    coalesce((select json_agg(json_build_object('role', input.role, 'kind', input.kind, 'address', input.address,
        'digest', input.digest, 'expver', input.expver))
     from score_inputs as input
     where (input.validator_id, input.run_id, input.miner_hotkey) = ($1, $2, $3)
       and (input.trace_id, input.span_id) = (field.trace_id, field.span_id)), '[]') as inputs,
    json_agg(json_build_object('variable', field.variable_name, 'level', field.pressure_level,
      ${FIELD_METRICS.map((name) => `'${name}', field.${name}`).join(', ')}, 'failed_check', field.failed_check,
      'digests', json_build_object('forecast', encode(field.forecast_digest, 'hex'),
        'truth', encode(field.truth_digest, 'hex'), 'reference', encode(field.reference_digest, 'hex'),
        'climatology', encode(field.climatology_digest, 'hex')))
      order by field.variable_name, field.pressure_level) as fields
  from weather_forecast_component_scores as field
  where (field.validator_id, field.run_id, field.miner_hotkey) = ($1, $2, $3)
    and ($4::integer is null or field.lead_hours = $4)
  group by field.score_type, field.lead_hours, field.trace_id, field.span_id
  order by field.lead_hours, field.score_type`;

/** Which scores are read. */
export interface ScoresName {
  readonly validatorHotkey: string;
  readonly runId: number;
  /** Hotkey or UID. */
  readonly miner: string;
  /** Hours; every lead without it. */
  readonly lead?: number | undefined;
}

/** Reads the recorded scores of one miner in one run of a validator; null when there is no such forecast. */
export async function readRecordedScores(
  pool: Pool,
  { validatorHotkey, runId, miner, lead }: ScoresName,
): Promise<RecordedScores | null> {
  type Forecast = Omit<RecordedScores, 'leads'> & { readonly validator_id: number };
  const [forecast] = (await pool.query<Forecast>(FORECAST, [validatorHotkey, runId, miner])).rows;
  if (forecast === undefined) return null;
  const { validator_id: validatorId, ...names } = forecast;
  const key = [validatorId, runId, forecast.miner_hotkey, lead ?? null];
  const { rows: leads } = await pool.query<RecordedLead>(LEADS, key);
  return { ...names, leads };
}
