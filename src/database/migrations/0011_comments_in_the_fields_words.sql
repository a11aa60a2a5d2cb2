comment on table closed_spans is
  'Steps that got a synthetic end because their real end never came. For some it came later: see late_ends.';
comment on table emitter_runs is
  'Counts of a process for one run: how many of its steps it started, and where they are.';
comment on column emitter_runs.last_sequence is 'Number of the newest record as of this report.';
comment on column emitter_runs.delivered_sequence is
  'Number up to which records had left the process as of this report.';
comment on column emitters.dropped_sequences is 'Numbers of the records that the process dropped, as it reported.';
comment on column emitters.heartbeat_at is
  'Last heartbeat of the process, by the clock of the database; null when it sends none.';
comment on table weather_forecast_runs is 'One forecast cycle: the newest state in its spans.';
comment on column weather_forecast_stats.forecast_status is 'weather.forecast.status; pending until a span has one.';
comment on column emitter_books.dropped is 'Numbers of the records that the process dropped, as it reported.';
comment on column emitter_books.heartbeat_at is
  'Last heartbeat of the process, by the clock of the database; null when it sends none.';
comment on view late_ends is
  'Steps that were closed as abandoned and whose real end came after all. The real end counts.';
comment on column miner_leaderboard.forecast_status is 'weather.forecast.status; pending until a span has one.';
comment on view run_completeness is
  'Whether anything of a run is missing: started = recorded + in_flight + spooled + dead + dropped + unaccounted.';
comment on column run_completeness.abandoned is 'Spans of the run whose real end never came.';
