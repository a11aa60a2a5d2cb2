import type { Pool } from 'pg';

/** The recorded tables with the order that makes them comparable. */
export const RECORDED_TABLES = {
  weather_forecast_steps: 'validator_id, trace_id, span_id',
  weather_forecast_component_scores:
    'validator_id, run_id, miner_hotkey, score_type, lead_hours, variable_name, pressure_level',
  weather_forecast_runs: 'validator_id, id',
  weather_miner_responses: 'validator_id, run_id, miner_hotkey',
  weather_forecast_stats: 'validator_id, run_id, miner_hotkey',
  miner_stats: 'validator_id, miner_hotkey',
  validator_job_logs: 'validator_id, trace_id, span_id, decision_index',
  emitters: 'validator_id, instance_id',
  dead_letter_spans: 'trace_id, span_id, phase',
  emitter_runs: 'validator_id, instance_id, run_id',
  closed_spans: 'validator_id, trace_id, span_id',
} as const;

/** Every row of every recorded table as text: equal texts are equal bytes. */
export async function dumpTables(pool: Pool): Promise<Record<string, readonly string[]>> {
  const dump: Record<string, readonly string[]> = {};
  for (const [table, order] of Object.entries(RECORDED_TABLES)) {
    const { rows } = await pool.query<{ line: string }>(
      `select row.*::text as line from ${table} as row order by ${order}`,
    );
    dump[table] = rows.map(({ line }) => line);
  }
  return dump;
}

/** Empties the recorded tables, validators included. */
export async function emptyTables(pool: Pool): Promise<void> {
  await pool.query(
    `truncate ${Object.keys(RECORDED_TABLES).join(', ')}, validators restart identity cascade`,
  );
}
