-- Comments only: they say what the columns hold. No table is rewritten and no row changes.

comment on column weather_forecast_steps.error_json is
  'The failure: category (type), class, code, message, trimmed stack, chain of causes, fingerprint, retryable and HTTP status (http_status). The code is that of the first link of the chain that has one; rows of earlier versions have the code of the outermost error only, and no http_status.';
comment on column miner_stats.hosting_successes is
  'Calls to the miner that completed at transport level, whatever the response was. A call that states no transport outcome counts by its status and error category.';
comment on column miner_stats.hosting_failures is
  'Calls that failed at transport level. A failure of the validator itself, an unknown one and a synthetic end count neither here nor as a success.';
comment on column weather_forecast_component_scores.pattern_correlation is
  'Weighted correlation with the GFS forecast, on day one and against ERA5; null where that forecast lacks the field or the time.';
comment on column weather_forecast_component_scores.clone_penalty is
  'Penalty for copying the GFS forecast, on day one; null for a variable without a threshold. Against ERA5 there is no such penalty: 0.';
comment on column weather_miner_responses.inference_started_at is
  'When inference began: by the miner''s own word where its replies to polls give inference_started_at (or started_at), by its clock; else the same as job_accepted_at.';

-- A column that a view passes through unchanged has the comment of its table.
do $$
declare
  passed record;
begin
  for passed in
    select pair.view, shown.attname as name, col_description(pair.source, own.attnum) as meaning
    from (values
      ('current_miner_stats'::regclass, 'miner_stats'::regclass, '{hosting_successes,hosting_failures}'::text[])
    ) as pair (view, source, names)
    join pg_attribute as shown on shown.attrelid = pair.view and shown.attname = any (pair.names)
    join pg_attribute as own on own.attrelid = pair.source and own.attname = shown.attname
  loop
    execute format('comment on column %s.%I is %L', passed.view, passed.name, passed.meaning);
  end loop;
end
$$;
