-- A component row for every field that a scoring looked at, also when the lead has no score: which variables and levels
-- of which leads were bad is one query. Older rows keep null: their leads were scored, and a failed lead left no row.

alter table weather_forecast_component_scores add column failed_check text;

comment on table weather_forecast_component_scores is
  'The second half of the log: scores of one variable on one level, one lead, one miner, or the check that it failed; of the newest scoring.';
comment on column weather_forecast_component_scores.failed_check is
  'Check that the field failed; null when it passed all. Without scores, unless a plausibility check of day one failed.';
comment on column weather_forecast_component_scores.reason is 'Why a metric is missing, or what the failed check found.';
comment on column weather_forecast_component_scores.variable_weight is
  'Weight of the variable, over its levels; kept for the record, no score uses it. Null for a field that the forecast lacks.';

create view failed_checks as
select validator_id, run_id, miner_uid, miner_hotkey, score_type, lead_hours, variable_name, pressure_level,
  failed_check, reason, calculated_at, trace_id, span_id
from weather_forecast_component_scores
where failed_check is not null;
comment on view failed_checks is
  'Which variables and levels of which leads of a forecast failed a check, and which one. Fields that passed have no row.';

-- A column that a view passes through unchanged has the comment of its table.
do $$
declare
  passed record;
begin
  for passed in
    select shown.attname as name, col_description(own.attrelid, own.attnum) as meaning
    from pg_attribute as shown
    join pg_attribute as own on own.attrelid = 'weather_forecast_component_scores'::regclass and own.attname = shown.attname
    where shown.attrelid = 'failed_checks'::regclass and shown.attnum > 0
  loop
    execute format('comment on column failed_checks.%I is %L', passed.name, passed.meaning);
  end loop;
end
$$;
comment on column failed_checks.failed_check is
  'missing_variable, missing_level or missing_time: the forecast lacks it; manifest_mismatch: a file is not the frozen one; unreadable: it cannot be decoded; extreme_value, coverage: its values; climatology_bounds, pattern_correlation: implausible on day one; no_finite_metric: no score of it is a number.';
