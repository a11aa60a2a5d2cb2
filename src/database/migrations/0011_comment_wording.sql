-- Comments only: they name the pattern (last-writer-wins, synthetic end, dead letter, heartbeat) in the field's words.
-- The statements are catalogue updates: no table is rewritten and no row changes.

comment on table archived_runs is 'Runs whose log is incomplete after retention. Their rows are frozen: a rebuild skips them.';
comment on table closed_spans is
  'Synthetic ends: steps that were closed because no real end was recorded. Real ends that came later: see late_ends.';
comment on table dead_letter_spans is
  'Spans that could not be recorded, stored complete with the reason; barograph dead-letters replays them.';
comment on column dead_letter_spans.detail is 'Value received and values allowed, or SQLSTATE and message of the rejection.';
comment on table emitter_runs is
  'Counts per process and run: how many steps of the run the process started, and how many are spooled or dropped.';
comment on column emitter_runs.last_sequence is 'Sequence number of the newest record at the time of this report.';
comment on column emitter_runs.delivered_sequence is
  'Highest sequence number up to which all records had been delivered at the time of this report.';
comment on column emitters.last_seen is 'Latest timestamp in any span of the process.';
comment on column emitters.last_sequence is 'Sequence number of the newest record of the process; null when it numbers none.';
comment on column emitters.delivered_sequence is 'Sequence number up to which all records have been delivered.';
comment on column emitters.received is 'Sequence numbers of the records that were received.';
comment on column emitters.dropped_sequences is 'Sequence numbers of records that the process reported as dropped.';
comment on column emitters.heartbeat_at is
  'Time of the newest heartbeat, by the clock of the database; null for a process that sends none.';
comment on column emitters.closed_at is
  'When the last record was delivered, by the process or by the one that recovered its spool; null before.';
comment on column miner_stats.hosting_successes is
  'Calls to the miner that completed at transport level, whatever the response was.';
comment on column miner_stats.hosting_failures is 'Calls that failed at transport level.';
comment on column miner_stats.avg_era5_score is 'Mean over all scored leads of all forecasts, including those in flight.';
comment on column miner_stats.worst_forecast_score is 'Smallest era5_combined_score of a completed forecast.';
comment on column miner_stats.common_errors is 'Failures by category; each failure counts once, at the step that caused it.';
comment on column miner_stats.updated_at is 'Latest timestamp in any span of the miner.';
comment on column validator_job_logs.message is 'Decision and reason as one sentence.';
comment on column validators.id is 'Number of the validator, assigned when it first records; the first part of every key.';
comment on table weather_forecast_component_scores is
  'The second half of the log: scores of one variable on one level, one lead, one miner; of the newest scoring.';
comment on table weather_forecast_runs is 'One forecast cycle: last-writer-wins projection of its spans.';
comment on column weather_forecast_runs.updated_at is 'Latest timestamp in any span of the run.';
comment on column weather_forecast_runs.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';
comment on column weather_forecast_stats.forecast_status is 'weather.forecast.status; pending until a span reports one.';
comment on column weather_forecast_stats.updated_at is 'Latest timestamp in any span of the forecast.';
comment on column weather_forecast_stats.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';
comment on column weather_miner_responses.updated_at is 'Latest timestamp in any span of the miner in this run.';
comment on column weather_miner_responses.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';
comment on column weather_miner_responses.verification_passed is
  'Whether the hosted files match the frozen manifest; null when not checked.';
comment on column weather_miner_responses.era5_scoring_completed_at is 'When every lead was scored or had failed for good.';

comment on view emitter_books is
  'For each process: which of its numbered records were received, are still spooled, were dropped, or are missing.';
comment on column emitter_books.spooled is 'Number of records that have not been delivered yet.';
comment on column emitter_books.missing is 'Sequence numbers of records that were delivered but never received: lost. Empty is right.';
comment on view late_ends is 'Steps with a synthetic end whose real end arrived later. The real end counts.';
comment on column missing_scores.error_type is 'Error category of the cause.';
comment on column missing_scores.reason is 'Cause as one sentence.';
comment on view run_completeness is
  'Whether anything of a run is missing: started = recorded + in_flight + spooled + dead + dropped; unaccounted is the difference.';
comment on column run_completeness.started is 'Spans of the run that were started, as counted by the processes that started them.';
comment on column run_completeness.spooled is 'Spans of the run that wait in the spool of their process, as counted by that process.';
comment on column run_completeness.dead is 'Spans of the run that were rejected and are stored in dead_letter_spans.';
comment on column run_completeness.dropped is 'Spans of the run whose record, or whose end, was dropped.';
comment on column run_completeness.unaccounted is 'Difference between started and the sum of the others; 0 is right.';
comment on column run_completeness.missing_sequences is 'Sequence numbers of lost records, by process; null is right.';
comment on column run_completeness.abandoned is 'Spans of the run that have a synthetic end only.';
comment on view step_faults is
  'Who is at fault for the failures of a run: a miner, upstream data, or the validator. Each failure counts once, at the step that caused it.';
comment on view stuck_steps is
  'Which miners of a run are blocked, in which step, since when, and until when they wait. Empty for a run that has ended.';

-- A column that a view passes through unchanged has the comment of its table.
do $$
declare
  passed record;
begin
  for passed in
    select pair.view, shown.attname as name, col_description(pair.source, own.attnum) as meaning
    from (values
      ('current_miner_stats'::regclass, 'miner_stats'::regclass, '{hosting_successes,hosting_failures,avg_era5_score,worst_forecast_score,common_errors,updated_at}'::text[]),
      ('emitter_books', 'emitters', '{last_sequence,delivered_sequence,first_seen,last_seen,heartbeat_at,closed_at}'),
      ('miner_leaderboard', 'weather_forecast_stats', '{forecast_status}')) as pair (view, source, names)
    join pg_attribute as shown on shown.attrelid = pair.view and shown.attname = any (pair.names)
    join pg_attribute as own on own.attrelid = pair.source and own.attname = shown.attname
  loop
    execute format('comment on column %s.%I is %L', passed.view, passed.name, passed.meaning);
  end loop;
end
$$;
comment on column emitter_books.dropped is 'Sequence numbers of records that the process reported as dropped.';
