-- Every column of a view says what it means, too.

-- What a view hands through means what it means in its table.
do $$
declare
  passed record;
begin
  for passed in
    select pair.view, shown.attname as name, col_description(pair.source, own.attnum) as meaning
    from (values
      ('newest_attempts'::regclass, 'weather_forecast_steps'::regclass),
      ('forecast_timeline', 'weather_forecast_steps'),
      ('stuck_steps', 'weather_forecast_steps'),
      ('scheduled_retries', 'weather_forecast_steps'),
      ('step_faults', 'weather_forecast_steps'),
      ('repeated_scores', 'weather_forecast_steps'),
      ('run_completeness', 'weather_forecast_steps'),
      ('missing_scores', 'weather_forecast_stats'),
      ('miner_leaderboard', 'weather_forecast_stats'),
      ('run_progress', 'weather_forecast_runs'),
      ('current_miner_stats', 'miner_stats')) as pair (view, source)
    join pg_attribute as shown on shown.attrelid = pair.view and shown.attnum > 0
    join pg_attribute as own on own.attrelid = pair.source and own.attname = shown.attname and own.attnum > 0
  loop
    execute format('comment on column %s.%I is %L', passed.view, passed.name, passed.meaning);
  end loop;
end
$$;

-- What a view makes itself.
comment on column newest_attempts.first_started_at is 'Start of the first attempt at the step.';
comment on column newest_attempts.error_message is 'What went wrong, in words.';

comment on column forecast_timeline.error_message is 'What went wrong, in words.';

comment on column stuck_steps.since is 'Start of the first attempt at the step.';
comment on column stuck_steps.waits_until is 'When the step is tried again; null while it runs or was abandoned.';
comment on column stuck_steps.error_message is 'What went wrong at the newest attempt, in words.';

comment on column scheduled_retries.attempts_made is 'Attempts so far, the next one not counted.';
comment on column scheduled_retries.waits_for_truth is 'Whether the step only waits until ERA5 is due: no failure, and no retry is used up.';
comment on column scheduled_retries.error_message is 'What went wrong at the newest attempt, in words.';

comment on column missing_scores.score_type is 'day1 or era5.';
comment on column missing_scores.lead_hours is 'Lead that has no score, hours after T0; null for day one.';
comment on column missing_scores.status is 'Status of the newest attempt at that score; of the forecast when there was none.';
comment on column missing_scores.error_type is 'Category of what is in the way.';
comment on column missing_scores.reason is 'What is in the way, in words.';
comment on column missing_scores.fault is 'Who is at fault: miner, upstream data, or the validator itself.';
comment on column missing_scores.next_retry_time is 'When the score is tried again.';
comment on column missing_scores.retries_remaining is 'Retries left of that score.';
comment on column missing_scores.trace_id is 'Trace of the newest attempt at that score; of the forecast when there was none.';

comment on column step_faults.fault is 'Who is at fault: miner, upstream data, or the validator itself.';
comment on column step_faults.failures is 'Attempts of that step that ended with that error.';
comment on column step_faults.first_at is 'When it first happened.';
comment on column step_faults.last_at is 'When it last happened.';

comment on column repeated_scores.score_type is 'day1 or era5.';
comment on column repeated_scores.times_scored is 'How often the lead was scored; at least 2.';
comment on column repeated_scores.span_ids is 'The scoring spans, the newest last.';

comment on column run_completeness.started is 'Spans of the run that were seen.';
comment on column run_completeness.recorded is 'Spans of the run whose end was seen.';
comment on column run_completeness.in_flight is 'Spans of the run that are still running.';
comment on column run_completeness.abandoned is 'Spans of the run that never ended by themselves.';
comment on column run_completeness.truncated is 'Spans of the run that lost attributes or events to the limits of their SDK.';
comment on column run_completeness.emitters is 'Processes that made spans of the run.';

comment on column run_progress.run_id is 'Run.';
comment on column run_progress.miners is 'Miners of the run.';
comment on column run_progress.completed is 'Miners whose forecast is completed.';
comment on column run_progress.failed is 'Miners whose forecast failed.';
comment on column run_progress.in_flight is 'Miners whose forecast is neither.';
comment on column run_progress.waiting is 'Miners that wait for a retry or for truth.';
comment on column run_progress.next_event is 'Earliest of those retries.';
comment on column run_progress.leads_scored is 'ERA5 leads scored, over all miners.';
comment on column run_progress.leads_expected is 'ERA5 leads to score, over all miners.';
