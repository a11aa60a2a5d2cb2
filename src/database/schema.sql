-- The schema as the migrations leave it, for reading and for comparing. Generated: do not edit.

create table archived_miner_stats (
  validator_id integer not null,
  miner_hotkey text not null,
  fold json not null,
  constraint archived_miner_stats_pkey PRIMARY KEY (validator_id, miner_hotkey),
  constraint archived_miner_stats_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
comment on table archived_miner_stats is 'What the dropped steps of a miner added to miner_stats: a rebuild starts from it.';
comment on column archived_miner_stats.validator_id is 'Validator.';
comment on column archived_miner_stats.miner_hotkey is 'Identity of the miner.';
comment on column archived_miner_stats.fold is 'The fold of the dropped steps, as in miner_stats.';

create table archived_runs (
  validator_id integer not null,
  run_id bigint not null,
  constraint archived_runs_pkey PRIMARY KEY (validator_id, run_id),
  constraint archived_runs_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
comment on table archived_runs is 'Runs whose log is incomplete after retention. Their rows are frozen: a rebuild skips them.';
comment on column archived_runs.validator_id is 'Validator.';
comment on column archived_runs.run_id is 'Run.';

create table barograph_migrations (
  version integer not null,
  name text not null,
  applied_at timestamp with time zone default now() not null,
  constraint barograph_migrations_pkey PRIMARY KEY (version)
);
comment on table barograph_migrations is 'Which migrations this database has been through; written by migrate alone.';
comment on column barograph_migrations.version is 'Number of the migration, 1 for the first.';
comment on column barograph_migrations.name is 'Name of the migration file without number and ending.';
comment on column barograph_migrations.applied_at is 'When the migration was committed.';

create table closed_spans (
  validator_id integer not null,
  trace_id text not null,
  span_id text not null,
  run_id bigint not null,
  started_at timestamp with time zone not null,
  reason text not null,
  closed_at timestamp with time zone not null,
  constraint closed_spans_pkey PRIMARY KEY (validator_id, trace_id, span_id),
  constraint closed_spans_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
comment on table closed_spans is 'Synthetic ends: steps that were closed because no real end was recorded. Real ends that came later: see late_ends.';
comment on column closed_spans.validator_id is 'Validator.';
comment on column closed_spans.trace_id is 'Trace of the step.';
comment on column closed_spans.span_id is 'Span of the step.';
comment on column closed_spans.run_id is 'Run.';
comment on column closed_spans.started_at is 'When the step started.';
comment on column closed_spans.reason is 'weather.closing.reason: why it had to be closed.';
comment on column closed_spans.closed_at is 'Last instant at which its process is known to have lived.';

create table database_identity (
  is_only boolean default true not null,
  database_id uuid not null,
  made_at timestamp with time zone default now() not null,
  constraint database_identity_is_only_check CHECK (is_only),
  constraint database_identity_pkey PRIMARY KEY (is_only)
);
comment on table database_identity is 'Identity of this database, one row; a copy and a restored dump keep it until somebody gives them one of their own.';
comment on column database_identity.is_only is 'Always true: there is one row.';
comment on column database_identity.database_id is 'Identity, as the metric barograph_database_info names it.';
comment on column database_identity.made_at is 'When the database got its identity.';

create table dead_letter_spans (
  trace_id text not null,
  span_id text not null,
  phase text not null,
  reason text not null,
  detail text not null,
  span jsonb not null,
  validator_hotkey text,
  run_id bigint,
  instance_id text,
  constraint dead_letter_spans_phase_check CHECK ((phase = ANY (ARRAY['started'::text, 'ended'::text]))),
  constraint dead_letter_spans_pkey PRIMARY KEY (trace_id, span_id, phase),
  constraint dead_letter_spans_reason_check CHECK ((reason = ANY (ARRAY['invalid_attribute'::text, 'missing_attribute'::text, 'clock_out_of_range'::text, 'partition_dropped'::text, 'refused_by_database'::text])))
);
CREATE INDEX dead_letter_spans_reason ON public.dead_letter_spans USING btree (reason);
CREATE INDEX dead_letter_spans_run ON public.dead_letter_spans USING btree (run_id);
comment on table dead_letter_spans is 'Spans that could not be recorded, stored complete with the reason; barograph dead-letters replays them.';
comment on column dead_letter_spans.trace_id is 'Trace.';
comment on column dead_letter_spans.span_id is 'Span.';
comment on column dead_letter_spans.phase is 'Whether the span was observed at its start or at its end.';
comment on column dead_letter_spans.reason is 'Why: invalid_attribute, missing_attribute, clock_out_of_range, partition_dropped or refused_by_database.';
comment on column dead_letter_spans.detail is 'Value received and values allowed, or SQLSTATE and message of the rejection.';
comment on column dead_letter_spans.span is 'The span itself, scrubbed of secrets; only its ids and its name when the database took no more.';
comment on column dead_letter_spans.validator_hotkey is 'Validator that the span names; null when that cannot be read.';
comment on column dead_letter_spans.run_id is 'Run that the span names; null when that cannot be read.';
comment on column dead_letter_spans.instance_id is 'service.instance.id of the process that made the span.';

create table dropped_partitions (
  name text not null,
  table_name text not null,
  from_time timestamp with time zone not null,
  to_time timestamp with time zone not null,
  dropped_at timestamp with time zone not null,
  constraint dropped_partitions_pkey PRIMARY KEY (name)
);
comment on table dropped_partitions is 'Partitions of the log that retention dropped. A late span of one of them becomes a dead letter if its run is in archived_runs.';
comment on column dropped_partitions.name is 'Name that the partition had.';
comment on column dropped_partitions.table_name is 'Table that it was a partition of.';
comment on column dropped_partitions.from_time is 'It held what is at this time or later: started_at of steps, valid_time_utc of component scores.';
comment on column dropped_partitions.to_time is 'And before this time.';
comment on column dropped_partitions.dropped_at is 'When it was last dropped, by the clock of the database.';

create table emitter_runs (
  validator_id integer not null,
  instance_id text not null,
  run_id bigint not null,
  started bigint not null,
  spooled bigint not null,
  dropped jsonb not null,
  last_sequence bigint not null,
  delivered_sequence bigint not null,
  constraint emitter_runs_pkey PRIMARY KEY (validator_id, instance_id, run_id),
  constraint emitter_runs_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX emitter_runs_run ON public.emitter_runs USING btree (validator_id, run_id);
comment on table emitter_runs is 'Counts per process and run: how many steps of the run the process started, and how many are spooled or dropped.';
comment on column emitter_runs.validator_id is 'Validator.';
comment on column emitter_runs.instance_id is 'service.instance.id of the process.';
comment on column emitter_runs.run_id is 'Run.';
comment on column emitter_runs.started is 'Steps of the run that the process started.';
comment on column emitter_runs.spooled is 'Those of which nothing has left its spool yet.';
comment on column emitter_runs.dropped is 'Those of which nothing could be kept, by reason.';
comment on column emitter_runs.last_sequence is 'Sequence number of the newest record at the time of this report.';
comment on column emitter_runs.delivered_sequence is 'Highest sequence number up to which all records had been delivered at the time of this report.';

create table emitters (
  validator_id integer not null,
  instance_id text not null,
  first_seen timestamp with time zone,
  last_seen timestamp with time zone,
  spans bigint not null,
  ended_spans bigint not null,
  last_sequence bigint,
  delivered_sequence bigint,
  received int8multirange default '{}'::int8multirange not null,
  dropped_sequences int8multirange default '{}'::int8multirange not null,
  heartbeat_at timestamp with time zone,
  closed_at timestamp with time zone,
  epochs text[] default '{}'::text[] not null,
  reused_sequences int8multirange default '{}'::int8multirange not null,
  constraint emitters_pkey PRIMARY KEY (validator_id, instance_id),
  constraint emitters_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX emitters_instance_id ON public.emitters USING btree (instance_id);
comment on table emitters is 'Every process whose spans were recorded.';
comment on column emitters.validator_id is 'Validator.';
comment on column emitters.instance_id is 'service.instance.id of the process.';
comment on column emitters.first_seen is 'Start of its earliest span.';
comment on column emitters.last_seen is 'Latest timestamp in any span of the process.';
comment on column emitters.spans is 'Spans of it that were seen, each once.';
comment on column emitters.ended_spans is 'Spans of it that ended.';
comment on column emitters.last_sequence is 'Sequence number of the newest record of the process; null when it numbers none.';
comment on column emitters.delivered_sequence is 'Sequence number up to which all records have been delivered.';
comment on column emitters.received is 'Sequence numbers of the records that were received.';
comment on column emitters.dropped_sequences is 'Sequence numbers of records that the process reported as dropped.';
comment on column emitters.heartbeat_at is 'Time of the newest heartbeat, by the clock of the database; null for a process that sends none.';
comment on column emitters.closed_at is 'When the process, or who took over its spool, delivered its last record; null before, and as long as a record is missing or may be.';
comment on column emitters.epochs is 'Start tokens of the processes that reported under this id, each once: more than one where processes share the id. Those of earlier versions have none.';
comment on column emitters.reused_sequences is 'Sequence numbers that had been received when they arrived again with other spans; a batch that holds such a span counts with all its numbers that had been received.';

create table error_categories (
  category text not null,
  fault text not null,
  is_transport boolean default false not null,
  constraint error_categories_fault_check CHECK ((fault = ANY (ARRAY['miner'::text, 'upstream'::text, 'validator'::text]))),
  constraint error_categories_pkey PRIMARY KEY (category)
);
comment on table error_categories is 'The closed set of error categories, and who has to act on each.';
comment on column error_categories.category is 'Value of error.type. Written by: migrations.';
comment on column error_categories.fault is 'Who is at fault: miner, upstream data, or the validator itself. In a step of the run itself, which calls no miner, a category of the miner is one of upstream data. Written by: migrations.';
comment on column error_categories.is_transport is 'Whether the call to a miner already counts it, so that the step around the call must not. Written by: migrations.';

create table miner_stats (
  validator_id integer not null,
  miner_uid integer,
  miner_hotkey text not null,
  miner_rank integer,
  avg_forecast_score double precision,
  successful_forecasts bigint not null,
  failed_forecasts bigint not null,
  forecast_success_ratio double precision,
  hosting_successes bigint not null,
  hosting_failures bigint not null,
  host_reliability_ratio double precision,
  avg_hosting_latency_ms double precision,
  avg_day1_score double precision,
  avg_era5_score double precision,
  avg_era5_completeness double precision,
  best_forecast_score double precision,
  worst_forecast_score double precision,
  score_std_dev double precision,
  last_successful_forecast timestamp with time zone,
  last_failed_forecast timestamp with time zone,
  consecutive_successes bigint not null,
  consecutive_failures bigint not null,
  total_inference_time double precision not null,
  avg_inference_time double precision,
  common_errors jsonb not null,
  error_rate_by_type jsonb,
  first_seen timestamp with time zone,
  last_active timestamp with time zone,
  validator_hotkey text not null,
  updated_at timestamp with time zone not null,
  fold json not null,
  excused_forecasts bigint default 0 not null,
  is_selected boolean default false not null,
  constraint miner_stats_pkey PRIMARY KEY (validator_id, miner_hotkey),
  constraint miner_stats_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
comment on table miner_stats is 'All that a miner did, over all runs; kept by hotkey, since a slot changes hands.';
comment on column miner_stats.validator_id is 'Validator.';
comment on column miner_stats.miner_uid is 'Slot that the miner held last.';
comment on column miner_stats.miner_hotkey is 'Miner.';
comment on column miner_stats.miner_rank is 'Rank by avg_forecast_score, ties alike; null without a score.';
comment on column miner_stats.avg_forecast_score is 'Mean era5_combined_score of completed forecasts.';
comment on column miner_stats.successful_forecasts is 'Forecasts completed.';
comment on column miner_stats.failed_forecasts is 'Forecasts that failed by the fault of the miner.';
comment on column miner_stats.forecast_success_ratio is 'completed / (completed + failed); null when none.';
comment on column miner_stats.hosting_successes is 'Calls to the miner that completed at transport level, whatever the response was. A call that states no transport outcome counts by its status and error category.';
comment on column miner_stats.hosting_failures is 'Calls that failed at transport level. A failure of the validator itself, an unknown one and a synthetic end count neither here nor as a success.';
comment on column miner_stats.host_reliability_ratio is 'successes / (successes + failures); null when none.';
comment on column miner_stats.avg_hosting_latency_ms is 'Mean latency of calls that worked, ms.';
comment on column miner_stats.avg_day1_score is 'Mean day-one score of all forecasts that have one.';
comment on column miner_stats.avg_era5_score is 'Mean over all scored leads of all forecasts, including those in flight.';
comment on column miner_stats.avg_era5_completeness is 'Mean completeness of completed forecasts and of those that failed by the fault of the miner.';
comment on column miner_stats.best_forecast_score is 'Largest era5_combined_score of a completed forecast.';
comment on column miner_stats.worst_forecast_score is 'Smallest era5_combined_score of a completed forecast.';
comment on column miner_stats.score_std_dev is 'Sample standard deviation over completed forecasts; null below two.';
comment on column miner_stats.last_successful_forecast is 'When a forecast was last completed.';
comment on column miner_stats.last_failed_forecast is 'When a forecast last failed by the fault of the miner.';
comment on column miner_stats.consecutive_successes is 'Completed forecasts since the last one that failed by the fault of the miner, by T0.';
comment on column miner_stats.consecutive_failures is 'Forecasts that failed by the fault of the miner since the last completed one, by T0.';
comment on column miner_stats.total_inference_time is 'Sum of inference durations, s.';
comment on column miner_stats.avg_inference_time is 'Mean of inference durations, s.';
comment on column miner_stats.common_errors is 'Failures by category; each failure counts once, at the step that caused it.';
comment on column miner_stats.error_rate_by_type is 'The same as fractions of all failures; they add up to 1.';
comment on column miner_stats.first_seen is 'Start of the earliest span of the miner.';
comment on column miner_stats.last_active is 'Latest call that worked.';
comment on column miner_stats.validator_hotkey is 'Identity of the validator.';
comment on column miner_stats.updated_at is 'Latest timestamp in any span of the miner.';
comment on column miner_stats.fold is 'Counts and exact sums that the columns follow from.';
comment on column miner_stats.excused_forecasts is 'Forecasts that failed by the fault of upstream data or of the validator. They count neither as successes nor as failures, nor in streaks and ranks; the scores and inference times that they have do count in the means.';
comment on column miner_stats.is_selected is 'Whether a run took the miner in: the step seed of the miner is recorded. Where there is room for some miners only, as among the series of metrics, they come before those that were merely named.';

create table outdated_projections (
  validator_id integer not null,
  run_id bigint,
  constraint outdated_projections_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id) ON DELETE CASCADE,
  constraint outdated_projections_validator_id_run_id_key UNIQUE NULLS NOT DISTINCT (validator_id, run_id)
);
comment on table outdated_projections is 'What a migration has marked for being computed again from the log; a row goes in the transaction that computes it. Empty: all rows have the meaning of this version.';
comment on column outdated_projections.validator_id is 'Validator.';
comment on column outdated_projections.run_id is 'Run whose rows are outdated; null for the rows of miner_stats, which come after all runs of the validator.';

create table pipeline.frozen_manifests (
  run_id integer not null,
  miner_uid integer not null,
  manifest_hash text not null,
  store_path text not null,
  header jsonb not null,
  files jsonb not null,
  frozen_at timestamp with time zone not null,
  constraint frozen_manifests_pkey PRIMARY KEY (run_id, miner_uid),
  constraint frozen_manifests_run_id_miner_uid_fkey FOREIGN KEY (run_id, miner_uid) REFERENCES pipeline.run_miners(run_id, miner_uid) ON DELETE CASCADE
);
comment on table pipeline.frozen_manifests is 'The manifest to which a miner''s forecast is held';
comment on column pipeline.frozen_manifests.run_id is 'The run';
comment on column pipeline.frozen_manifests.miner_uid is 'The miner';
comment on column pipeline.frozen_manifests.manifest_hash is 'SHA-256 of the manifest as it was read';
comment on column pipeline.frozen_manifests.store_path is 'Where the forecast lies on its host, without the host';
comment on column pipeline.frozen_manifests.header is 'The manifest without its list of files';
comment on column pipeline.frozen_manifests.files is 'Hash of each file, by its path in the store';
comment on column pipeline.frozen_manifests.frozen_at is 'When the manifest was frozen';

create table pipeline.leads (
  run_id integer not null,
  miner_uid integer not null,
  score_type text not null,
  lead_hours integer not null,
  state text default 'pending'::text not null,
  revision integer default 0 not null,
  attempt integer default 1 not null,
  next_at timestamp with time zone,
  attempt_traceparent text,
  score double precision,
  failure_category text,
  failure_message text,
  constraint leads_attempt_check CHECK ((attempt >= 1)),
  constraint leads_lead_hours_check CHECK ((lead_hours > 0)),
  constraint leads_pkey PRIMARY KEY (run_id, miner_uid, score_type, lead_hours),
  constraint leads_run_id_miner_uid_fkey FOREIGN KEY (run_id, miner_uid) REFERENCES pipeline.run_miners(run_id, miner_uid) ON DELETE CASCADE,
  constraint leads_score_type_check CHECK ((score_type = ANY (ARRAY['day1'::text, 'era5'::text]))),
  constraint leads_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'due'::text, 'waiting_for_truth'::text, 'scored'::text, 'failed'::text])))
);
comment on table pipeline.leads is 'One lead of one miner of a run, scored on day one or against ERA5';
comment on column pipeline.leads.run_id is 'The run';
comment on column pipeline.leads.miner_uid is 'The miner';
comment on column pipeline.leads.score_type is 'Truth that the lead is scored against';
comment on column pipeline.leads.lead_hours is 'Hours after T0';
comment on column pipeline.leads.state is 'pending behind day one, due or waiting for truth with a job queued, or how it ended';
comment on column pipeline.leads.revision is 'Counts transitions; each transition names the revision that it starts from';
comment on column pipeline.leads.attempt is 'Attempt that comes next, from 1; waiting for truth uses none';
comment on column pipeline.leads.next_at is 'When that attempt is due; null while nothing is queued for the lead';
comment on column pipeline.leads.attempt_traceparent is 'Span of the attempt before';
comment on column pipeline.leads.score is 'Score of the lead, 0 to 1; null until there is one';
comment on column pipeline.leads.failure_category is 'Why there is no score: an error category';
comment on column pipeline.leads.failure_message is 'Why there is no score, in words';

create table pipeline.run_miners (
  run_id integer not null,
  miner_uid integer not null,
  miner_hotkey text not null,
  base_url text not null,
  state text default 'created'::text not null,
  revision integer default 0 not null,
  attempt integer default 1 not null,
  next_at timestamp with time zone,
  root_traceparent text,
  attempt_traceparent text,
  job_id text,
  job_accepted_at timestamp with time zone,
  inference_completed_at timestamp with time zone,
  failed_step text,
  failure_category text,
  failure_message text,
  constraint run_miners_attempt_check CHECK ((attempt >= 1)),
  constraint run_miners_miner_uid_check CHECK (((miner_uid >= 0) AND (miner_uid <= 255))),
  constraint run_miners_pkey PRIMARY KEY (run_id, miner_uid),
  constraint run_miners_run_id_fkey FOREIGN KEY (run_id) REFERENCES pipeline.runs(run_id) ON DELETE CASCADE,
  constraint run_miners_run_id_miner_hotkey_key UNIQUE (run_id, miner_hotkey),
  constraint run_miners_state_check CHECK ((state = ANY (ARRAY['created'::text, 'seeded'::text, 'querying'::text, 'polling'::text, 'verifying'::text, 'scoring'::text, 'completed'::text, 'failed'::text])))
);
CREATE UNIQUE INDEX run_miners_one_holder_per_job ON pipeline.run_miners USING btree (run_id, job_id) WHERE (job_id IS NOT NULL);
comment on table pipeline.run_miners is 'One miner of a run';
comment on column pipeline.run_miners.run_id is 'The run';
comment on column pipeline.run_miners.miner_uid is 'Slot of the miner when the run was created';
comment on column pipeline.run_miners.miner_hotkey is 'Identity of the miner';
comment on column pipeline.run_miners.base_url is 'Where the miner is reached; never leaves this table';
comment on column pipeline.run_miners.state is 'What the miner does next: querying, polling, verifying, scoring; or how it ended';
comment on column pipeline.run_miners.revision is 'Counts transitions; each transition names the revision that it starts from';
comment on column pipeline.run_miners.attempt is 'Attempt of the state that comes next, from 1';
comment on column pipeline.run_miners.next_at is 'When that attempt is due; null when nothing is queued for the miner itself';
comment on column pipeline.run_miners.root_traceparent is 'Span that is the root of the trace of the miner in this run';
comment on column pipeline.run_miners.attempt_traceparent is 'Span of the attempt before';
comment on column pipeline.run_miners.job_id is 'Job of the miner; no two miners of a run hold the same';
comment on column pipeline.run_miners.job_accepted_at is 'When the miner accepted the job';
comment on column pipeline.run_miners.inference_completed_at is 'When a poll first saw the forecast complete';
comment on column pipeline.run_miners.failed_step is 'Step that ended the miner''s part for good';
comment on column pipeline.run_miners.failure_category is 'Error category of that end';
comment on column pipeline.run_miners.failure_message is 'That end in words';

create table pipeline.runs (
  run_id integer generated always as identity,
  validator_hotkey text not null,
  init_time timestamp with time zone not null,
  initiated_at timestamp with time zone not null,
  status text default 'created'::text not null,
  day1_lead integer not null,
  era5_leads integer[] not null,
  revision integer default 0 not null,
  attempt integer default 1 not null,
  next_at timestamp with time zone,
  root_traceparent text,
  attempt_traceparent text,
  failure_category text,
  failure_message text,
  finished_at timestamp with time zone,
  store_locations jsonb,
  constraint runs_attempt_check CHECK ((attempt >= 1)),
  constraint runs_day1_lead_check CHECK ((day1_lead > 0)),
  constraint runs_era5_leads_check CHECK ((cardinality(era5_leads) > 0)),
  constraint runs_pkey PRIMARY KEY (run_id),
  constraint runs_status_check CHECK ((status = ANY (ARRAY['created'::text, 'seeding'::text, 'gfs_ready'::text, 'querying_miners'::text, 'awaiting_results'::text, 'completed'::text, 'failed'::text, 'all_miners_failed'::text, 'stale_abandoned'::text])))
);
CREATE UNIQUE INDEX runs_one_active_per_cycle ON pipeline.runs USING btree (validator_hotkey, init_time) WHERE (status <> ALL (ARRAY['completed'::text, 'failed'::text, 'all_miners_failed'::text, 'stale_abandoned'::text]));
comment on table pipeline.runs is 'One forecast cycle of one validator';
comment on column pipeline.runs.run_id is 'The run, as spans name it';
comment on column pipeline.runs.validator_hotkey is 'Identity of the validator';
comment on column pipeline.runs.init_time is 'T0, the GFS initialisation time';
comment on column pipeline.runs.initiated_at is 'When the run was created; opens the manifest freeze window';
comment on column pipeline.runs.status is 'Where the run stands';
comment on column pipeline.runs.day1_lead is 'Lead scored on day one, hours after T0';
comment on column pipeline.runs.era5_leads is 'Leads scored against ERA5, hours after T0';
comment on column pipeline.runs.revision is 'Counts transitions; each transition names the revision that it starts from';
comment on column pipeline.runs.attempt is 'Attempt that comes next at opening the GFS input, from 1';
comment on column pipeline.runs.next_at is 'When the run is looked at again; null when it waits for its miners or is over';
comment on column pipeline.runs.root_traceparent is 'Span that is the root of the trace of the run';
comment on column pipeline.runs.attempt_traceparent is 'Span of the attempt before';
comment on column pipeline.runs.failure_category is 'Why the run failed: an error category';
comment on column pipeline.runs.failure_message is 'Why the run failed, in words';
comment on column pipeline.runs.finished_at is 'When the run entered a terminal status';
comment on column pipeline.runs.store_locations is 'Where the stores of the run are, by role, so that its scores can be verified; without those that hold a user or a query. Null for runs of earlier versions, and on stores that a program gave';

create table pipeline.span_ends (
  span_end_id bigint generated always as identity,
  queue_job_id bigint not null,
  delivery integer not null,
  encoded text not null,
  committed_at timestamp with time zone default now() not null,
  constraint span_ends_delivery_check CHECK ((delivery >= 0)),
  constraint span_ends_pkey PRIMARY KEY (span_end_id)
);
CREATE INDEX span_ends_of_job ON pipeline.span_ends USING btree (queue_job_id);
comment on table pipeline.span_ends is 'Ends of steps that are committed and perhaps not yet exported; a row goes once the span of the step has ended or the end is recorded';
comment on column pipeline.span_ends.span_end_id is 'The stored end, in the order of the commits of a job';
comment on column pipeline.span_ends.queue_job_id is 'Job whose next delivery replays the end; when there is no such job, any worker does';
comment on column pipeline.span_ends.delivery is 'Delivery of the job that committed the end, from 1; 0 for an end that was stored with a new job';
comment on column pipeline.span_ends.encoded is 'The end as the recorder encodes it';
comment on column pipeline.span_ends.committed_at is 'When its transaction began';

create table validator_job_logs (
  validator_id integer not null,
  trace_id text not null,
  span_id text not null,
  decision_index integer not null,
  run_id bigint not null,
  job_id bigint,
  created_at timestamp with time zone not null,
  level text not null,
  decision text not null,
  reason text not null,
  message text not null,
  constraint validator_job_logs_pkey PRIMARY KEY (validator_id, trace_id, span_id, decision_index),
  constraint validator_job_logs_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX validator_job_logs_run ON public.validator_job_logs USING btree (validator_id, run_id, created_at);
comment on table validator_job_logs is 'Every orchestration decision, with its reason.';
comment on column validator_job_logs.validator_id is 'Validator.';
comment on column validator_job_logs.trace_id is 'Trace of the orchestration.';
comment on column validator_job_logs.span_id is 'Span of the orchestration.';
comment on column validator_job_logs.decision_index is 'Place among the decisions of the span.';
comment on column validator_job_logs.run_id is 'Run.';
comment on column validator_job_logs.job_id is 'Job of the queue that decided.';
comment on column validator_job_logs.created_at is 'When it was decided.';
comment on column validator_job_logs.level is 'INFO, WARN or ERROR.';
comment on column validator_job_logs.decision is 'weather.orchestration.decision.';
comment on column validator_job_logs.reason is 'Why.';
comment on column validator_job_logs.message is 'Decision and reason as one sentence.';

create table validators (
  id integer generated by default as identity,
  hotkey text not null,
  constraint validators_hotkey_key UNIQUE (hotkey),
  constraint validators_pkey PRIMARY KEY (id)
);
comment on table validators is 'Every validator that recorded here.';
comment on column validators.id is 'Number of the validator, assigned when it first records; the first part of every key.';
comment on column validators.hotkey is 'Identity of the validator.';

create table weather_forecast_component_scores (
  validator_id integer not null,
  run_id bigint not null,
  response_id bigint not null,
  miner_uid integer,
  miner_hotkey text not null,
  score_type text not null,
  lead_hours integer not null,
  valid_time_utc timestamp with time zone not null,
  variable_name text not null,
  pressure_level integer,
  rmse double precision,
  mse double precision,
  acc double precision,
  skill_score double precision,
  skill_score_gfs double precision,
  skill_score_climatology double precision,
  bias double precision,
  mae double precision,
  climatology_check_passed boolean,
  pattern_correlation double precision,
  pattern_correlation_passed boolean,
  clone_penalty double precision,
  quality_penalty double precision,
  weighted_score double precision,
  variable_weight double precision,
  calculated_at timestamp with time zone not null,
  calculation_duration_ms double precision,
  reason text,
  trace_id text not null,
  span_id text not null,
  failed_check text,
  forecast_digest bytea,
  truth_digest bytea,
  reference_digest bytea,
  climatology_digest bytea,
  plain_skill_score_gfs double precision,
  plain_skill_score_climatology double precision,
  coverage double precision,
  constraint weather_forecast_component_scores_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
) partition by RANGE (valid_time_utc);
CREATE UNIQUE INDEX weather_forecast_component_scores_key ON ONLY public.weather_forecast_component_scores USING btree (validator_id, run_id, miner_hotkey, score_type, lead_hours, variable_name, pressure_level, valid_time_utc) NULLS NOT DISTINCT;
comment on table weather_forecast_component_scores is 'The second half of the log: scores of one variable on one level, one lead, one miner, or the check that it failed; of the newest scoring.';
comment on column weather_forecast_component_scores.validator_id is 'Validator.';
comment on column weather_forecast_component_scores.run_id is 'Run.';
comment on column weather_forecast_component_scores.response_id is 'Row of weather_miner_responses with the same validator_id.';
comment on column weather_forecast_component_scores.miner_uid is 'Slot of the miner.';
comment on column weather_forecast_component_scores.miner_hotkey is 'Miner.';
comment on column weather_forecast_component_scores.score_type is 'day1 or era5.';
comment on column weather_forecast_component_scores.lead_hours is 'Lead, hours after T0.';
comment on column weather_forecast_component_scores.valid_time_utc is 'T0 + lead.';
comment on column weather_forecast_component_scores.variable_name is 'Variable, by its ERA5 short name.';
comment on column weather_forecast_component_scores.pressure_level is 'Level, hPa; null at the surface.';
comment on column weather_forecast_component_scores.rmse is 'Latitude-weighted root-mean-square error, unit of the variable; null when not finite.';
comment on column weather_forecast_component_scores.mse is 'Latitude-weighted mean square error.';
comment on column weather_forecast_component_scores.acc is 'Anomaly correlation coefficient.';
comment on column weather_forecast_component_scores.skill_score is 'Skill that counts: against GFS less the clone penalty on day one, against climatology for ERA5.';
comment on column weather_forecast_component_scores.skill_score_gfs is 'Skill against the GFS forecast after the unweighted mean error is removed, over the points that forecast, truth and GFS share: a constant error costs nothing. plain_skill_score_gfs has it without the removal.';
comment on column weather_forecast_component_scores.skill_score_climatology is 'Skill against climatology after the unweighted mean error is removed, over the points that all three share.';
comment on column weather_forecast_component_scores.bias is 'Latitude-weighted mean error.';
comment on column weather_forecast_component_scores.mae is 'Latitude-weighted mean absolute error.';
comment on column weather_forecast_component_scores.climatology_check_passed is 'Day one: whether the values lie within plausible bounds.';
comment on column weather_forecast_component_scores.pattern_correlation is 'Weighted correlation with the GFS forecast, on day one and against ERA5; null where that forecast lacks the field or the time.';
comment on column weather_forecast_component_scores.pattern_correlation_passed is 'Day one: whether that correlation is at least 0.3.';
comment on column weather_forecast_component_scores.clone_penalty is 'Penalty for copying the GFS forecast, on day one; null for a variable without a threshold. Against ERA5 there is no such penalty: 0.';
comment on column weather_forecast_component_scores.quality_penalty is 'Not written: no rule of the scoring computes it.';
comment on column weather_forecast_component_scores.weighted_score is 'Not written: no rule of the scoring computes it.';
comment on column weather_forecast_component_scores.variable_weight is 'Weight of the variable, over its levels; kept for the record, no score uses it. Null for a field that the forecast lacks.';
comment on column weather_forecast_component_scores.calculated_at is 'End of the scoring span.';
comment on column weather_forecast_component_scores.calculation_duration_ms is 'Time that the calculation took, ms.';
comment on column weather_forecast_component_scores.reason is 'Why a metric is missing, or what the failed check found.';
comment on column weather_forecast_component_scores.trace_id is 'Trace of the scoring span.';
comment on column weather_forecast_component_scores.span_id is 'The scoring span.';
comment on column weather_forecast_component_scores.failed_check is 'Check that the field failed; null when it passed all. Without scores, unless a plausibility check of day one failed.';
comment on column weather_forecast_component_scores.forecast_digest is 'SHA-256 of the files and ranges that the field of the forecast was read from, and of what they mean. Null where it was not read, or where its store knows no bytes.';
comment on column weather_forecast_component_scores.truth_digest is 'The same of the truth, which is the analysis for day one where there is one.';
comment on column weather_forecast_component_scores.reference_digest is 'The same of the reference; null also where it lacks the field or the time.';
comment on column weather_forecast_component_scores.climatology_digest is 'The same of the climatology; null also where it lacks the field or the time.';
comment on column weather_forecast_component_scores.plain_skill_score_gfs is 'Skill against the GFS forecast with no mean error removed: 1 - mse(forecast) / mse(GFS), over the points that forecast, truth and GFS share. Null in rows of earlier versions.';
comment on column weather_forecast_component_scores.plain_skill_score_climatology is 'The same against climatology.';
comment on column weather_forecast_component_scores.coverage is 'Share of the points at which the truth has a value that the forecast has one at, 0 to 1, before gaps are filled. Null where the field could not be read, and in rows of earlier versions.';

create table weather_forecast_runs (
  validator_id integer not null,
  id bigint not null,
  run_initiation_time timestamp with time zone,
  target_forecast_time_utc timestamp with time zone,
  gfs_init_time_utc timestamp with time zone,
  gfs_input_metadata jsonb,
  status text,
  completion_time timestamp with time zone,
  final_scoring_attempted_time timestamp with time zone,
  error_message text,
  trace_id text,
  updated_at timestamp with time zone not null,
  fold json not null,
  constraint weather_forecast_runs_pkey PRIMARY KEY (validator_id, id),
  constraint weather_forecast_runs_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX weather_forecast_runs_init_time ON public.weather_forecast_runs USING btree (validator_id, gfs_init_time_utc);
CREATE INDEX weather_forecast_runs_open ON public.weather_forecast_runs USING btree (validator_id, id) WHERE (completion_time IS NULL);
comment on table weather_forecast_runs is 'One forecast cycle: last-writer-wins projection of its spans.';
comment on column weather_forecast_runs.validator_id is 'Validator.';
comment on column weather_forecast_runs.id is 'weather.run.id.';
comment on column weather_forecast_runs.run_initiation_time is 'When the run was created; opens the manifest freeze window.';
comment on column weather_forecast_runs.target_forecast_time_utc is 'Target time that names the forecast.';
comment on column weather_forecast_runs.gfs_init_time_utc is 'T0, the GFS initialisation time.';
comment on column weather_forecast_runs.gfs_input_metadata is 'The GFS input that was really used.';
comment on column weather_forecast_runs.status is 'weather.run.status of the newest orchestration or fetch of GFS; a terminal status stays.';
comment on column weather_forecast_runs.completion_time is 'When the run entered its terminal status.';
comment on column weather_forecast_runs.final_scoring_attempted_time is 'End of the newest aggregation of the run.';
comment on column weather_forecast_runs.error_message is 'Why the run failed or was abandoned.';
comment on column weather_forecast_runs.trace_id is 'Trace of the run.';
comment on column weather_forecast_runs.updated_at is 'Latest timestamp in any span of the run.';
comment on column weather_forecast_runs.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';

create table weather_forecast_stats (
  validator_id integer not null,
  id bigint not null,
  miner_uid integer,
  miner_hotkey text not null,
  miner_rank integer,
  forecast_run_id text,
  run_id bigint not null,
  forecast_init_time timestamp with time zone,
  forecast_status text not null,
  current_forecast_stage text,
  current_forecast_status text,
  stage_since timestamp with time zone,
  last_error_message text,
  retries_remaining integer,
  next_scheduled_retry timestamp with time zone,
  forecast_error_msg jsonb,
  forecast_score_initial double precision,
  era5_score_24h double precision,
  era5_score_48h double precision,
  era5_score_72h double precision,
  era5_score_96h double precision,
  era5_score_120h double precision,
  era5_score_144h double precision,
  era5_score_168h double precision,
  era5_score_192h double precision,
  era5_score_216h double precision,
  era5_score_240h double precision,
  era5_combined_score double precision,
  era5_completeness double precision,
  era5_scored_leads integer not null,
  era5_expected_leads integer,
  overall_forecast_score double precision,
  avg_rmse double precision,
  avg_acc double precision,
  avg_skill_score double precision,
  forecast_type text,
  forecast_inference_duration_seconds double precision,
  forecast_input_sources jsonb,
  hosting_status text,
  hosting_latency_ms double precision,
  validator_hotkey text not null,
  completed_at timestamp with time zone,
  trace_id text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  fold json not null,
  last_error_type text,
  last_error_fault text,
  constraint weather_forecast_stats_pkey PRIMARY KEY (validator_id, run_id, miner_hotkey),
  constraint weather_forecast_stats_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX weather_forecast_stats_best ON public.weather_forecast_stats USING btree (validator_id, miner_hotkey, era5_combined_score) WHERE (forecast_status = 'completed'::text);
CREATE INDEX weather_forecast_stats_finished ON public.weather_forecast_stats USING btree (validator_id, miner_hotkey, forecast_init_time DESC, run_id DESC, forecast_status, last_error_fault) WHERE (forecast_status = ANY (ARRAY['completed'::text, 'failed'::text]));
CREATE INDEX weather_forecast_stats_last ON public.weather_forecast_stats USING btree (validator_id, miner_hotkey, forecast_status, completed_at, last_error_fault) WHERE (forecast_status = ANY (ARRAY['completed'::text, 'failed'::text]));
comment on table weather_forecast_stats is 'One miner''s forecast in one run.';
comment on column weather_forecast_stats.validator_id is 'Validator.';
comment on column weather_forecast_stats.id is 'Number of (run, miner), the same for every writer; unique together with validator_id.';
comment on column weather_forecast_stats.miner_uid is 'Slot of the miner.';
comment on column weather_forecast_stats.miner_hotkey is 'Miner.';
comment on column weather_forecast_stats.miner_rank is 'Rank in the run by overall_forecast_score, ties alike; null without a score, or when the forecast failed by another fault than the miner''s.';
comment on column weather_forecast_stats.forecast_run_id is 'forecast_{T0}_to_{target}, the same for every validator.';
comment on column weather_forecast_stats.run_id is 'Run.';
comment on column weather_forecast_stats.forecast_init_time is 'T0.';
comment on column weather_forecast_stats.forecast_status is 'weather.forecast.status; pending until a span reports one; failed once the run has ended a forecast that had not ended.';
comment on column weather_forecast_stats.current_forecast_stage is 'Stage of the newest step; gfs_fetch from the first fetch of the run''s input until the miner is asked; while all leads wait, that of the lead that is looked for next.';
comment on column weather_forecast_stats.current_forecast_status is 'Status within the stage: weather.stage.status, or else what follows from the outcome of the step.';
comment on column weather_forecast_stats.stage_since is 'When the forecast first entered that stage.';
comment on column weather_forecast_stats.last_error_message is 'Newest error of a step that has not succeeded since; until the miner is asked also of the run''s own steps. Once the run has ended a forecast that had not, the reason of the run.';
comment on column weather_forecast_stats.retries_remaining is 'Retries left of the step that is tried next, or else of the newest step; 0 once the forecast has ended.';
comment on column weather_forecast_stats.next_scheduled_retry is 'Earliest retry or wait for truth to come; null once the forecast has ended.';
comment on column weather_forecast_stats.forecast_error_msg is 'Category, fault, message and time of last_error_message.';
comment on column weather_forecast_stats.forecast_score_initial is 'Day-one score; 0.0 is a score.';
comment on column weather_forecast_stats.era5_score_24h is 'weather.score.era5 of lead 24 h.';
comment on column weather_forecast_stats.era5_score_48h is 'weather.score.era5 of lead 48 h.';
comment on column weather_forecast_stats.era5_score_72h is 'weather.score.era5 of lead 72 h.';
comment on column weather_forecast_stats.era5_score_96h is 'weather.score.era5 of lead 96 h.';
comment on column weather_forecast_stats.era5_score_120h is 'weather.score.era5 of lead 120 h.';
comment on column weather_forecast_stats.era5_score_144h is 'weather.score.era5 of lead 144 h.';
comment on column weather_forecast_stats.era5_score_168h is 'weather.score.era5 of lead 168 h.';
comment on column weather_forecast_stats.era5_score_192h is 'weather.score.era5 of lead 192 h.';
comment on column weather_forecast_stats.era5_score_216h is 'weather.score.era5 of lead 216 h.';
comment on column weather_forecast_stats.era5_score_240h is 'weather.score.era5 of lead 240 h.';
comment on column weather_forecast_stats.era5_combined_score is 'Sum of the lead scores over the leads expected.';
comment on column weather_forecast_stats.era5_completeness is 'Leads scored over leads expected.';
comment on column weather_forecast_stats.era5_scored_leads is 'Leads that have a score.';
comment on column weather_forecast_stats.era5_expected_leads is 'weather.run.expected_leads.';
comment on column weather_forecast_stats.overall_forecast_score is '0.95 combined + 0.05 if day one passed.';
comment on column weather_forecast_stats.avg_rmse is 'Mean over all variables and levels, of mixed units; of ERA5 once a lead is scored, of day one before.';
comment on column weather_forecast_stats.avg_acc is 'Mean over the same.';
comment on column weather_forecast_stats.avg_skill_score is 'Mean over the same.';
comment on column weather_forecast_stats.forecast_type is 'weather.forecast.type.';
comment on column weather_forecast_stats.forecast_inference_duration_seconds is 'Acceptance to the poll that saw completion, s.';
comment on column weather_forecast_stats.forecast_input_sources is 'The inputs that the forecast was asked for.';
comment on column weather_forecast_stats.hosting_status is 'weather.hosting.status of the newest read.';
comment on column weather_forecast_stats.hosting_latency_ms is 'Time to the first byte of the hosted forecast, ms.';
comment on column weather_forecast_stats.validator_hotkey is 'Identity of the validator.';
comment on column weather_forecast_stats.completed_at is 'When the forecast ended, by itself or with its run.';
comment on column weather_forecast_stats.trace_id is 'Trace of the miner''s forecast.';
comment on column weather_forecast_stats.created_at is 'Start of the earliest span of the forecast.';
comment on column weather_forecast_stats.updated_at is 'Latest timestamp in any span of the forecast, and of those of its run that changed the row: the fetch of GFS while the forecast is in init, and the end of the run.';
comment on column weather_forecast_stats.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';
comment on column weather_forecast_stats.last_error_type is 'Category of last_error_message.';
comment on column weather_forecast_stats.last_error_fault is 'Who is at fault for it: miner, upstream or validator. An error of a step of the run itself is never the miner''s. The newest error that stands when a forecast fails decides alone: where it is not the miner''s, the forecast does not count for the miner.';

create table weather_forecast_steps (
  validator_id integer not null,
  trace_id text not null,
  span_id text not null,
  parent_span_id text,
  span_name text not null,
  instance_id text,
  id bigint not null,
  run_id bigint not null,
  miner_uid integer,
  miner_hotkey text,
  step_name text not null,
  substep text not null,
  lead_hours integer,
  attempt integer not null,
  max_attempts integer,
  status text not null,
  started_at timestamp with time zone not null,
  completed_at timestamp with time zone,
  latency_ms double precision,
  retry_count integer not null,
  retries_remaining integer,
  next_retry_time timestamp with time zone,
  error_type text,
  error_json jsonb,
  context jsonb,
  job_id bigint,
  facts jsonb not null,
  trace_sampled boolean,
  constraint weather_forecast_steps_span_id_check CHECK ((length(span_id) = 16)),
  constraint weather_forecast_steps_trace_id_check CHECK ((length(trace_id) = 32)),
  constraint weather_forecast_steps_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
) partition by LIST (status);
CREATE INDEX weather_forecast_steps_run ON ONLY public.weather_forecast_steps USING btree (validator_id, run_id, miner_hotkey);
comment on table weather_forecast_steps is 'The event log: one row a span. Running spans lie in a partition of their own.';
comment on column weather_forecast_steps.validator_id is 'Validator.';
comment on column weather_forecast_steps.trace_id is 'Trace of the span, 32 hexadecimal digits.';
comment on column weather_forecast_steps.span_id is 'The span, 16 hexadecimal digits.';
comment on column weather_forecast_steps.parent_span_id is 'The span around it; null for a root.';
comment on column weather_forecast_steps.span_name is 'Name of the span.';
comment on column weather_forecast_steps.instance_id is 'The process that made the span.';
comment on column weather_forecast_steps.id is 'The span id as a number.';
comment on column weather_forecast_steps.run_id is 'weather.run.id.';
comment on column weather_forecast_steps.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column weather_forecast_steps.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column weather_forecast_steps.step_name is 'weather.step.name.';
comment on column weather_forecast_steps.substep is 'weather.step.substep.';
comment on column weather_forecast_steps.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column weather_forecast_steps.attempt is 'weather.step.attempt, counted from 1.';
comment on column weather_forecast_steps.max_attempts is 'weather.step.max_attempts.';
comment on column weather_forecast_steps.status is 'weather.step.status; in_progress while the span runs.';
comment on column weather_forecast_steps.started_at is 'Start of the span.';
comment on column weather_forecast_steps.completed_at is 'End of the span.';
comment on column weather_forecast_steps.latency_ms is 'End minus start, of successes and failures alike, ms.';
comment on column weather_forecast_steps.retry_count is 'attempt - 1.';
comment on column weather_forecast_steps.retries_remaining is 'max(0, max_attempts - attempt).';
comment on column weather_forecast_steps.next_retry_time is 'weather.retry.next_time: when the step is tried again.';
comment on column weather_forecast_steps.error_type is 'error.type: category of the failure.';
comment on column weather_forecast_steps.error_json is 'The failure: category (type), class, code, message, trimmed stack, chain of causes, fingerprint, retryable and HTTP status (http_status). The code is that of the first link of the chain that has one; rows of earlier versions have the code of the outermost error only, and no http_status.';
comment on column weather_forecast_steps.context is 'What the step did: weather.step.context with progress, job and profile.';
comment on column weather_forecast_steps.job_id is 'weather.step.queue_job_id: job of the queue that ran the step.';
comment on column weather_forecast_steps.facts is 'What the folds take from the span besides these columns.';
comment on column weather_forecast_steps.trace_sampled is 'The sampled flag of the span: whether its trace was to be sent to a trace store. False also where the recorder has no OTLP endpoint and no program around it has the trace. Null where nobody says: rows of earlier versions, and senders over OTLP that leave the flag out.';

create table weather_forecast_steps_finished partition of weather_forecast_steps FOR VALUES IN ('succeeded', 'failed', 'retry_scheduled', 'waiting_for_truth', 'abandoned') partition by RANGE (started_at);
CREATE UNIQUE INDEX weather_forecast_steps_finished_key ON ONLY public.weather_forecast_steps_finished USING btree (validator_id, trace_id, span_id, started_at);
CREATE INDEX weather_forecast_steps_newest ON ONLY public.weather_forecast_steps_finished USING btree (validator_id, run_id, miner_hotkey, step_name, lead_hours, completed_at DESC, attempt DESC, span_id DESC) INCLUDE (status, next_retry_time) WHERE (step_name = ANY (ARRAY['seed'::text, 'query'::text, 'poll'::text, 'verify'::text, 'day1'::text, 'era5'::text, 'aggregate'::text]));

create table weather_forecast_steps_running partition of weather_forecast_steps FOR VALUES IN ('in_progress');
CREATE UNIQUE INDEX weather_forecast_steps_running_key ON public.weather_forecast_steps_running USING btree (validator_id, trace_id, span_id);

create table weather_miner_responses (
  validator_id integer not null,
  id bigint not null,
  run_id bigint not null,
  miner_uid integer,
  miner_hotkey text not null,
  response_time timestamp with time zone,
  job_id text,
  kerchunk_json_url text,
  target_netcdf_url_template text,
  kerchunk_json_retrieved jsonb,
  frozen_manifest_files jsonb,
  verification_hash_computed text,
  verification_hash_claimed text,
  verification_passed boolean,
  manifest_frozen_at timestamp with time zone,
  status text,
  error_message text,
  input_hash_miner text,
  input_hash_validator text,
  input_hash_match boolean,
  retry_count integer not null,
  next_retry_time timestamp with time zone,
  last_polled_time timestamp with time zone,
  inference_started_at timestamp with time zone,
  job_accepted_at timestamp with time zone,
  inference_completed_at timestamp with time zone,
  day1_scoring_completed_at timestamp with time zone,
  era5_scoring_completed_at timestamp with time zone,
  total_pipeline_duration_seconds double precision,
  trace_id text,
  updated_at timestamp with time zone not null,
  fold json not null,
  constraint weather_miner_responses_pkey PRIMARY KEY (validator_id, run_id, miner_hotkey),
  constraint weather_miner_responses_validator_id_fkey FOREIGN KEY (validator_id) REFERENCES validators(id)
);
CREATE INDEX weather_miner_responses_status ON public.weather_miner_responses USING btree (validator_id, status);
comment on table weather_miner_responses is 'The exchange with one miner in one run.';
comment on column weather_miner_responses.validator_id is 'Validator.';
comment on column weather_miner_responses.id is 'Number of (run, miner), the same for every writer; unique together with validator_id.';
comment on column weather_miner_responses.run_id is 'Run.';
comment on column weather_miner_responses.miner_uid is 'Slot of the miner.';
comment on column weather_miner_responses.miner_hotkey is 'Miner.';
comment on column weather_miner_responses.response_time is 'When the miner last answered the query.';
comment on column weather_miner_responses.job_id is 'weather.job.id: the miner''s own job.';
comment on column weather_miner_responses.kerchunk_json_url is 'Path of the forecast store on its host, without the host.';
comment on column weather_miner_responses.target_netcdf_url_template is 'Not written: no forecast is hosted as NetCDF.';
comment on column weather_miner_responses.kerchunk_json_retrieved is 'The manifest without its list of files.';
comment on column weather_miner_responses.frozen_manifest_files is 'Not written: the list of files is control state of the pipeline, too large for a span.';
comment on column weather_miner_responses.verification_hash_computed is 'SHA-256 of the manifest as read.';
comment on column weather_miner_responses.verification_hash_claimed is 'SHA-256 of the manifest as the miner claimed.';
comment on column weather_miner_responses.verification_passed is 'Whether the hosted files match the frozen manifest; null when that was not compared, as after a late freeze.';
comment on column weather_miner_responses.manifest_frozen_at is 'When the manifest was frozen.';
comment on column weather_miner_responses.status is 'weather.response.status; failed once the run has ended an open exchange.';
comment on column weather_miner_responses.error_message is 'Why the newest step of the exchange failed; null after a success; the reason of the run once that has ended an open exchange.';
comment on column weather_miner_responses.input_hash_miner is 'Not written: the protocol has no input hash any more.';
comment on column weather_miner_responses.input_hash_validator is 'Not written: the protocol has no input hash any more.';
comment on column weather_miner_responses.input_hash_match is 'Not written: the protocol has no input hash any more.';
comment on column weather_miner_responses.retry_count is 'Retries of the newest step of the exchange.';
comment on column weather_miner_responses.next_retry_time is 'When that step is tried again; null once the forecast or the run has ended.';
comment on column weather_miner_responses.last_polled_time is 'End of the newest poll, answered or not.';
comment on column weather_miner_responses.inference_started_at is 'When inference began: by the miner''s own word where its replies to polls give inference_started_at (or started_at), by its clock; else the same as job_accepted_at. Null when the forecast was ready at once.';
comment on column weather_miner_responses.job_accepted_at is 'When the miner first accepted the job.';
comment on column weather_miner_responses.inference_completed_at is 'When a poll first saw the forecast complete.';
comment on column weather_miner_responses.day1_scoring_completed_at is 'End of the newest successful day-one scoring.';
comment on column weather_miner_responses.era5_scoring_completed_at is 'End of the aggregation, when every lead was scored or had failed for good; null when the forecast ended before.';
comment on column weather_miner_responses.total_pipeline_duration_seconds is 'Acceptance to that instant, s.';
comment on column weather_miner_responses.trace_id is 'Trace of the miner''s forecast.';
comment on column weather_miner_responses.updated_at is 'Latest timestamp in any span of the miner in this run.';
comment on column weather_miner_responses.fold is 'Last-writer-wins map: newest value of each column with its logical timestamp.';

create view current_miner_stats as
 SELECT DISTINCT ON (validator_id, miner_uid) validator_id,
    miner_uid,
    miner_hotkey,
    miner_rank,
    avg_forecast_score,
    successful_forecasts,
    failed_forecasts,
    forecast_success_ratio,
    hosting_successes,
    hosting_failures,
    host_reliability_ratio,
    avg_hosting_latency_ms,
    avg_day1_score,
    avg_era5_score,
    avg_era5_completeness,
    best_forecast_score,
    worst_forecast_score,
    score_std_dev,
    last_successful_forecast,
    last_failed_forecast,
    consecutive_successes,
    consecutive_failures,
    total_inference_time,
    avg_inference_time,
    common_errors,
    error_rate_by_type,
    first_seen,
    last_active,
    validator_hotkey,
    updated_at,
    fold,
    excused_forecasts,
    is_selected
   FROM miner_stats
  WHERE miner_uid IS NOT NULL
  ORDER BY validator_id, miner_uid, updated_at DESC, miner_hotkey;
comment on view current_miner_stats is 'The statistics of the miner that holds each slot now; earlier holders keep theirs in miner_stats.';
comment on column current_miner_stats.validator_id is 'Validator.';
comment on column current_miner_stats.miner_uid is 'Slot that the miner held last.';
comment on column current_miner_stats.miner_hotkey is 'Miner.';
comment on column current_miner_stats.miner_rank is 'Rank by avg_forecast_score, ties alike; null without a score.';
comment on column current_miner_stats.avg_forecast_score is 'Mean era5_combined_score of completed forecasts.';
comment on column current_miner_stats.successful_forecasts is 'Forecasts completed.';
comment on column current_miner_stats.failed_forecasts is 'Forecasts that failed by the fault of the miner.';
comment on column current_miner_stats.forecast_success_ratio is 'completed / (completed + failed); null when none.';
comment on column current_miner_stats.hosting_successes is 'Calls to the miner that completed at transport level, whatever the response was. A call that states no transport outcome counts by its status and error category.';
comment on column current_miner_stats.hosting_failures is 'Calls that failed at transport level. A failure of the validator itself, an unknown one and a synthetic end count neither here nor as a success.';
comment on column current_miner_stats.host_reliability_ratio is 'successes / (successes + failures); null when none.';
comment on column current_miner_stats.avg_hosting_latency_ms is 'Mean latency of calls that worked, ms.';
comment on column current_miner_stats.avg_day1_score is 'Mean day-one score of all forecasts that have one.';
comment on column current_miner_stats.avg_era5_score is 'Mean over all scored leads of all forecasts, including those in flight.';
comment on column current_miner_stats.avg_era5_completeness is 'Mean completeness of completed forecasts and of those that failed by the fault of the miner.';
comment on column current_miner_stats.best_forecast_score is 'Largest era5_combined_score of a completed forecast.';
comment on column current_miner_stats.worst_forecast_score is 'Smallest era5_combined_score of a completed forecast.';
comment on column current_miner_stats.score_std_dev is 'Sample standard deviation over completed forecasts; null below two.';
comment on column current_miner_stats.last_successful_forecast is 'When a forecast was last completed.';
comment on column current_miner_stats.last_failed_forecast is 'When a forecast last failed by the fault of the miner.';
comment on column current_miner_stats.consecutive_successes is 'Completed forecasts since the last one that failed by the fault of the miner, by T0.';
comment on column current_miner_stats.consecutive_failures is 'Forecasts that failed by the fault of the miner since the last completed one, by T0.';
comment on column current_miner_stats.total_inference_time is 'Sum of inference durations, s.';
comment on column current_miner_stats.avg_inference_time is 'Mean of inference durations, s.';
comment on column current_miner_stats.common_errors is 'Failures by category; each failure counts once, at the step that caused it.';
comment on column current_miner_stats.error_rate_by_type is 'The same as fractions of all failures; they add up to 1.';
comment on column current_miner_stats.first_seen is 'Start of the earliest span of the miner.';
comment on column current_miner_stats.last_active is 'Latest call that worked.';
comment on column current_miner_stats.validator_hotkey is 'Identity of the validator.';
comment on column current_miner_stats.updated_at is 'Latest timestamp in any span of the miner.';
comment on column current_miner_stats.fold is 'Counts and exact sums that the columns follow from.';
comment on column current_miner_stats.excused_forecasts is 'Forecasts that failed by the fault of upstream data or of the validator. They count neither as successes nor as failures, nor in streaks and ranks; the scores and inference times that they have do count in the means.';
comment on column current_miner_stats.is_selected is 'Whether a run took the miner in: the step seed of the miner is recorded. Where there is room for some miners only, as among the series of metrics, they come before those that were merely named.';

create view emitter_books as
 SELECT shown.validator_id,
    shown.instance_id,
    shown.last_sequence,
    shown.delivered_sequence,
    shown.spooled,
    shown.missing,
    shown.dropped,
    shown.first_seen,
    shown.last_seen,
    shown.heartbeat_at,
    shown.closed_at,
    shown.validator_hotkey,
    own.reused_sequences AS reused,
    beyond.sequences AS beyond,
    NULLIF(concat_ws('; '::text,
        CASE
            WHEN cardinality(own.epochs) > 1 THEN cardinality(own.epochs) || ' processes use this id'::text
            ELSE NULL::text
        END,
        CASE
            WHEN NOT isempty(own.reused_sequences) THEN ('the numbers '::text || own.reused_sequences) || ' arrived again with other spans'::text
            ELSE NULL::text
        END,
        CASE
            WHEN NOT isempty(beyond.sequences) THEN (('the numbers '::text || beyond.sequences) || ' are beyond the newest, '::text) || COALESCE(own.last_sequence, 0::bigint)
            ELSE NULL::text
        END), ''::text) AS conflict
   FROM ( SELECT shown_1.validator_id,
            shown_1.instance_id,
            shown_1.last_sequence,
            shown_1.delivered_sequence,
            shown_1.spooled,
            shown_1.missing,
            shown_1.dropped,
            shown_1.first_seen,
            shown_1.last_seen,
            shown_1.heartbeat_at,
            shown_1.closed_at,
            ( SELECT validators.hotkey
                   FROM validators
                  WHERE validators.id = shown_1.validator_id) AS validator_hotkey
           FROM ( SELECT emitters.validator_id,
                    emitters.instance_id,
                    emitters.last_sequence,
                    emitters.delivered_sequence,
                    emitters.last_sequence - emitters.delivered_sequence AS spooled,
                    int8multirange(int8range(1::bigint, COALESCE(
                        CASE
                            WHEN emitters.closed_at IS NULL THEN emitters.delivered_sequence
                            ELSE emitters.last_sequence
                        END, 0::bigint) + 1)) - emitters.received - emitters.dropped_sequences AS missing,
                    emitters.dropped_sequences AS dropped,
                    emitters.first_seen,
                    emitters.last_seen,
                    emitters.heartbeat_at,
                    emitters.closed_at
                   FROM emitters) shown_1) shown
     JOIN emitters own ON own.validator_id = shown.validator_id AND own.instance_id = shown.instance_id
     CROSS JOIN LATERAL ( SELECT own.received + own.dropped_sequences + int8multirange(int8range(1::bigint, GREATEST(own.delivered_sequence, 0::bigint) + 1)) - int8multirange(int8range(1::bigint, GREATEST(own.last_sequence, 0::bigint) + 1)) AS sequences) beyond;
comment on view emitter_books is 'For each process: which of its numbered records were received, are still spooled, were dropped, or are missing.';
comment on column emitter_books.validator_id is 'Validator.';
comment on column emitter_books.instance_id is 'service.instance.id of the process.';
comment on column emitter_books.last_sequence is 'Sequence number of the newest record of the process; null when it numbers none.';
comment on column emitter_books.delivered_sequence is 'Sequence number up to which all records have been delivered.';
comment on column emitter_books.spooled is 'Number of records that have not been delivered yet.';
comment on column emitter_books.missing is 'Numbers of records that left the process and never came: lost, or set aside because they cannot be read. Empty is right.';
comment on column emitter_books.dropped is 'Sequence numbers of records that the process reported as dropped.';
comment on column emitter_books.first_seen is 'Start of its earliest span.';
comment on column emitter_books.last_seen is 'Latest timestamp in any span of the process.';
comment on column emitter_books.heartbeat_at is 'Time of the newest heartbeat, by the clock of the database; null for a process that sends none.';
comment on column emitter_books.closed_at is 'When the process, or who took over its spool, delivered its last record; null before, and as long as a record is missing or may be.';
comment on column emitter_books.validator_hotkey is 'Identity of the validator.';
comment on column emitter_books.reused is 'Sequence numbers that had been received when they arrived again with other spans; empty is right.';
comment on column emitter_books.beyond is 'Sequence numbers that were received, dropped or delivered although the process had not reported them as made; empty is right.';
comment on column emitter_books.conflict is 'Why the numbers of the process prove nothing: its id or its numbers were used twice, or they contradict each other; null is right.';

create view failed_checks as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    score_type,
    lead_hours,
    variable_name,
    pressure_level,
    failed_check,
    reason,
    calculated_at,
    trace_id,
    span_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT weather_forecast_component_scores.validator_id,
            weather_forecast_component_scores.run_id,
            weather_forecast_component_scores.miner_uid,
            weather_forecast_component_scores.miner_hotkey,
            weather_forecast_component_scores.score_type,
            weather_forecast_component_scores.lead_hours,
            weather_forecast_component_scores.variable_name,
            weather_forecast_component_scores.pressure_level,
            weather_forecast_component_scores.failed_check,
            weather_forecast_component_scores.reason,
            weather_forecast_component_scores.calculated_at,
            weather_forecast_component_scores.trace_id,
            weather_forecast_component_scores.span_id
           FROM weather_forecast_component_scores
          WHERE weather_forecast_component_scores.failed_check IS NOT NULL) shown;
comment on view failed_checks is 'Which variables and levels of which leads of a forecast failed a check, and which one. Fields that passed have no row.';
comment on column failed_checks.validator_id is 'Validator.';
comment on column failed_checks.run_id is 'Run.';
comment on column failed_checks.miner_uid is 'Slot of the miner.';
comment on column failed_checks.miner_hotkey is 'Miner.';
comment on column failed_checks.score_type is 'day1 or era5.';
comment on column failed_checks.lead_hours is 'Lead, hours after T0.';
comment on column failed_checks.variable_name is 'Variable, by its ERA5 short name.';
comment on column failed_checks.pressure_level is 'Level, hPa; null at the surface.';
comment on column failed_checks.failed_check is 'missing_variable, missing_level or missing_time: the forecast lacks it; manifest_mismatch: a file is not the frozen one; unreadable: it cannot be decoded; extreme_value, coverage: its values; climatology_bounds, pattern_correlation: implausible on day one; no_finite_metric: no score of it is a number.';
comment on column failed_checks.reason is 'Why a metric is missing, or what the failed check found.';
comment on column failed_checks.calculated_at is 'End of the scoring span.';
comment on column failed_checks.trace_id is 'Trace of the scoring span.';
comment on column failed_checks.span_id is 'The scoring span.';
comment on column failed_checks.validator_hotkey is 'Identity of the validator.';

create view forecast_timeline as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    started_at,
    completed_at,
    step_name,
    substep,
    lead_hours,
    attempt,
    max_attempts,
    status,
    latency_ms,
    error_type,
    error_message,
    next_retry_time,
    context,
    trace_id,
    span_id,
    parent_span_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT weather_forecast_steps.validator_id,
            weather_forecast_steps.run_id,
            weather_forecast_steps.miner_uid,
            weather_forecast_steps.miner_hotkey,
            weather_forecast_steps.started_at,
            weather_forecast_steps.completed_at,
            weather_forecast_steps.step_name,
            weather_forecast_steps.substep,
            weather_forecast_steps.lead_hours,
            weather_forecast_steps.attempt,
            weather_forecast_steps.max_attempts,
            weather_forecast_steps.status,
            weather_forecast_steps.latency_ms,
            weather_forecast_steps.error_type,
            weather_forecast_steps.error_json ->> 'message'::text AS error_message,
            weather_forecast_steps.next_retry_time,
            weather_forecast_steps.context,
            weather_forecast_steps.trace_id,
            weather_forecast_steps.span_id,
            weather_forecast_steps.parent_span_id
           FROM weather_forecast_steps
          ORDER BY weather_forecast_steps.validator_id, weather_forecast_steps.run_id, weather_forecast_steps.miner_hotkey, weather_forecast_steps.started_at, weather_forecast_steps.span_id) shown;
comment on view forecast_timeline is 'Everything that happened to a forecast, attempt by attempt, in the order of time.';
comment on column forecast_timeline.validator_id is 'Validator.';
comment on column forecast_timeline.run_id is 'weather.run.id.';
comment on column forecast_timeline.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column forecast_timeline.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column forecast_timeline.started_at is 'Start of the span.';
comment on column forecast_timeline.completed_at is 'End of the span.';
comment on column forecast_timeline.step_name is 'weather.step.name.';
comment on column forecast_timeline.substep is 'weather.step.substep.';
comment on column forecast_timeline.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column forecast_timeline.attempt is 'weather.step.attempt, counted from 1.';
comment on column forecast_timeline.max_attempts is 'weather.step.max_attempts.';
comment on column forecast_timeline.status is 'weather.step.status; in_progress while the span runs.';
comment on column forecast_timeline.latency_ms is 'End minus start, of successes and failures alike, ms.';
comment on column forecast_timeline.error_type is 'error.type: category of the failure.';
comment on column forecast_timeline.error_message is 'What went wrong, in words.';
comment on column forecast_timeline.next_retry_time is 'weather.retry.next_time: when the step is tried again.';
comment on column forecast_timeline.context is 'What the step did: weather.step.context with progress, job and profile.';
comment on column forecast_timeline.trace_id is 'Trace of the span, 32 hexadecimal digits.';
comment on column forecast_timeline.span_id is 'The span, 16 hexadecimal digits.';
comment on column forecast_timeline.parent_span_id is 'The span around it; null for a root.';
comment on column forecast_timeline.validator_hotkey is 'Identity of the validator.';

create view inconsistent_rows as
 SELECT validator_id,
    run_id,
    miner_hotkey,
    table_name,
    problem,
    detail,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT forecast.validator_id,
            forecast.run_id,
            forecast.miner_hotkey,
            'weather_forecast_stats'::text AS table_name,
            found.problem,
            found.detail
           FROM weather_forecast_stats forecast
             LEFT JOIN weather_forecast_runs run ON run.validator_id = forecast.validator_id AND run.id = forecast.run_id
             CROSS JOIN LATERAL ( SELECT forecast.forecast_status = ANY (ARRAY['completed'::text, 'failed'::text]) AS is_ended) forecast_end
             CROSS JOIN LATERAL ( VALUES ('open_in_ended_run'::text,run.completion_time IS NOT NULL AND NOT forecast_end.is_ended,'forecast_status '::text || forecast.forecast_status), ('open_status_after_end'::text,forecast_end.is_ended AND (forecast.current_forecast_status <> ALL (ARRAY['completed'::text, 'failed'::text])),'current_forecast_status '::text || forecast.current_forecast_status), ('retry_after_end'::text,forecast_end.is_ended AND (forecast.next_scheduled_retry IS NOT NULL OR forecast.retries_remaining > 0),(('retries_remaining '::text || COALESCE(forecast.retries_remaining::text, 'null'::text)) || ', next_scheduled_retry '::text) || COALESCE(forecast.next_scheduled_retry::text, 'null'::text)), ('end_without_time'::text,forecast_end.is_ended AND forecast.completed_at IS NULL AND run.completion_time IS NOT NULL,'completed_at is null'::text)) found(problem, is_found, detail)
          WHERE found.is_found
        UNION ALL
         SELECT response.validator_id,
            response.run_id,
            response.miner_hotkey,
            'weather_miner_responses'::text AS table_name,
            'open_in_ended_run'::text AS problem,
            (('status '::text || COALESCE(response.status, 'null'::text)) || ', next_retry_time '::text) || COALESCE(response.next_retry_time::text, 'null'::text) AS detail
           FROM weather_miner_responses response
             JOIN weather_forecast_runs run ON run.validator_id = response.validator_id AND run.id = response.run_id
          WHERE run.completion_time IS NOT NULL AND (response.next_retry_time IS NOT NULL OR (response.status = ANY (ARRAY['received'::text, 'fetch_initiated'::text, 'inference_running'::text, 'forecast_ready'::text, 'verifying_manifest'::text, 'awaiting_miner_completion'::text])))
        UNION ALL
         SELECT step.validator_id,
            step.run_id,
            step.miner_hotkey,
            'weather_forecast_steps'::text AS table_name,
            'open_in_ended_run'::text AS problem,
            (((step.step_name || ' '::text) || step.substep) || ' in progress since '::text) || step.started_at AS detail
           FROM weather_forecast_steps_running step
             JOIN weather_forecast_runs run ON run.validator_id = step.validator_id AND run.id = step.run_id
          WHERE run.completion_time < (now() - '01:00:00'::interval)) shown;
comment on view inconsistent_rows is 'Rows of ended runs and forecasts that say that something is still to come. Empty, unless somebody changed rows by hand, a fault of Barograph made them, they wait in outdated_projections, or a process died whose spool is gone (barograph sweep closes its steps).';
comment on column inconsistent_rows.validator_id is 'Validator.';
comment on column inconsistent_rows.run_id is 'Run.';
comment on column inconsistent_rows.miner_hotkey is 'Miner; null for a step of the run as a whole.';
comment on column inconsistent_rows.table_name is 'The table that the row is in.';
comment on column inconsistent_rows.problem is 'open_in_ended_run, open_status_after_end, retry_after_end or end_without_time.';
comment on column inconsistent_rows.detail is 'The columns that contradict the end, with their values.';
comment on column inconsistent_rows.validator_hotkey is 'Identity of the validator.';

create view late_ends as
 SELECT validator_id,
    run_id,
    trace_id,
    span_id,
    reason,
    closed_at,
    miner_hotkey,
    step_name,
    substep,
    lead_hours,
    attempt,
    status,
    completed_at,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT closed.validator_id,
            closed.run_id,
            closed.trace_id,
            closed.span_id,
            closed.reason,
            closed.closed_at,
            step.miner_hotkey,
            step.step_name,
            step.substep,
            step.lead_hours,
            step.attempt,
            step.status,
            step.completed_at
           FROM closed_spans closed
             JOIN weather_forecast_steps_finished step ON step.validator_id = closed.validator_id AND step.trace_id = closed.trace_id AND step.span_id = closed.span_id AND step.started_at = closed.started_at
          WHERE (step.facts -> 'closing'::text) IS NULL) shown;
comment on view late_ends is 'Steps with a synthetic end whose real end arrived later. The real end counts.';
comment on column late_ends.validator_id is 'Validator.';
comment on column late_ends.run_id is 'Run.';
comment on column late_ends.trace_id is 'Trace of the step.';
comment on column late_ends.span_id is 'Span of the step.';
comment on column late_ends.reason is 'weather.closing.reason: why it had to be closed.';
comment on column late_ends.closed_at is 'Last instant at which its process is known to have lived.';
comment on column late_ends.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column late_ends.step_name is 'weather.step.name.';
comment on column late_ends.substep is 'weather.step.substep.';
comment on column late_ends.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column late_ends.attempt is 'weather.step.attempt, counted from 1.';
comment on column late_ends.status is 'weather.step.status; in_progress while the span runs.';
comment on column late_ends.completed_at is 'End of the span.';
comment on column late_ends.validator_hotkey is 'Identity of the validator.';

create view miner_leaderboard as
 SELECT validator_id,
    run_id,
    miner_rank,
    miner_uid,
    miner_hotkey,
    overall_forecast_score,
    era5_combined_score,
    forecast_score_initial,
    era5_completeness,
    avg_acc,
    avg_skill_score,
    forecast_status,
    current_forecast_stage,
    last_error_message,
    trace_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT weather_forecast_stats.validator_id,
            weather_forecast_stats.run_id,
            weather_forecast_stats.miner_rank,
            weather_forecast_stats.miner_uid,
            weather_forecast_stats.miner_hotkey,
            weather_forecast_stats.overall_forecast_score,
            weather_forecast_stats.era5_combined_score,
            weather_forecast_stats.forecast_score_initial,
            weather_forecast_stats.era5_completeness,
            weather_forecast_stats.avg_acc,
            weather_forecast_stats.avg_skill_score,
            weather_forecast_stats.forecast_status,
            weather_forecast_stats.current_forecast_stage,
            weather_forecast_stats.last_error_message,
            weather_forecast_stats.trace_id
           FROM weather_forecast_stats
          ORDER BY weather_forecast_stats.validator_id, weather_forecast_stats.run_id, weather_forecast_stats.miner_rank, weather_forecast_stats.miner_uid) shown;
comment on view miner_leaderboard is 'The miners of each run, best first.';
comment on column miner_leaderboard.validator_id is 'Validator.';
comment on column miner_leaderboard.run_id is 'Run.';
comment on column miner_leaderboard.miner_rank is 'Rank in the run by overall_forecast_score, ties alike; null without a score, or when the forecast failed by another fault than the miner''s.';
comment on column miner_leaderboard.miner_uid is 'Slot of the miner.';
comment on column miner_leaderboard.miner_hotkey is 'Miner.';
comment on column miner_leaderboard.overall_forecast_score is '0.95 combined + 0.05 if day one passed.';
comment on column miner_leaderboard.era5_combined_score is 'Sum of the lead scores over the leads expected.';
comment on column miner_leaderboard.forecast_score_initial is 'Day-one score; 0.0 is a score.';
comment on column miner_leaderboard.era5_completeness is 'Leads scored over leads expected.';
comment on column miner_leaderboard.avg_acc is 'Mean over the same.';
comment on column miner_leaderboard.avg_skill_score is 'Mean over the same.';
comment on column miner_leaderboard.forecast_status is 'weather.forecast.status; pending until a span reports one; failed once the run has ended a forecast that had not ended.';
comment on column miner_leaderboard.current_forecast_stage is 'Stage of the newest step; gfs_fetch from the first fetch of the run''s input until the miner is asked; while all leads wait, that of the lead that is looked for next.';
comment on column miner_leaderboard.last_error_message is 'Newest error of a step that has not succeeded since; until the miner is asked also of the run''s own steps. Once the run has ended a forecast that had not, the reason of the run.';
comment on column miner_leaderboard.trace_id is 'Trace of the miner''s forecast.';
comment on column miner_leaderboard.validator_hotkey is 'Identity of the validator.';

create view missing_scores as
 SELECT told.validator_id,
    told.run_id,
    told.miner_uid,
    told.miner_hotkey,
    told.score_type,
    told.lead_hours,
    told.status,
    told.error_type,
    told.reason,
        CASE
            WHEN told.truth_due_time < now() OR told.is_of_run AND category.fault = 'miner'::text THEN 'upstream'::text
            ELSE category.fault
        END AS fault,
    told.next_retry_time,
    told.retries_remaining,
    told.trace_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = told.validator_id) AS validator_hotkey
   FROM ( SELECT forecast.validator_id,
            forecast.run_id,
            forecast.miner_uid,
            forecast.miner_hotkey,
            wanted.score_type,
            wanted.lead_hours,
                CASE
                    WHEN course.is_given_up THEN run.status
                    ELSE COALESCE(step.status, forecast.fold #>> ARRAY['newest'::text, kept.slot, 'value'::text, 'status'::text], forecast.forecast_status)
                END AS status,
                CASE
                    WHEN course.is_given_up THEN COALESCE(forecast.last_error_type, gfs.error_type)
                    WHEN step.status = 'waiting_for_truth'::text THEN NULL::text
                    WHEN course.waits_for_gfs THEN gfs.error_type
                    ELSE COALESCE(step.error_type, forecast.fold #>> ARRAY['newest'::text, kept.error, 'value'::text, 'type'::text], forecast.last_error_type)
                END AS error_type,
                CASE
                    WHEN course.is_given_up THEN (('the run ended before the forecast did ('::text || run.status) || ')'::text) || COALESCE(': '::text || run.error_message, ''::text)
                    WHEN step.status = 'waiting_for_truth'::text THEN 'waits for truth'::text || COALESCE(': '::text || step.waiting, ''::text)
                    WHEN course.waits_for_gfs THEN 'the run waits for GFS: '::text || gfs.error_message
                    ELSE COALESCE(step.error_message, forecast.fold #>> ARRAY['newest'::text, kept.error, 'value'::text, 'message'::text], forecast.last_error_message,
                    CASE
                        WHEN forecast_end.is_ended THEN ('the forecast ended '::text || forecast.forecast_status) || ' and told no error'::text
                        ELSE 'not scored yet: the forecast is in stage '::text || COALESCE(forecast.current_forecast_stage, 'init'::text)
                    END)
                END AS reason,
                CASE
                    WHEN NOT course.is_given_up THEN step.truth_due_time
                    ELSE NULL::timestamp with time zone
                END AS truth_due_time,
                CASE
                    WHEN course.waits_for_gfs THEN gfs.next_retry_time
                    WHEN NOT course.is_given_up THEN step.next_retry_time
                    ELSE NULL::timestamp with time zone
                END AS next_retry_time,
                CASE
                    WHEN course.waits_for_gfs THEN gfs.retries_remaining
                    WHEN NOT course.is_given_up THEN step.retries_remaining
                    ELSE NULL::integer
                END AS retries_remaining,
            COALESCE(step.trace_id, forecast.trace_id) AS trace_id,
            course.is_given_up OR course.waits_for_gfs AS is_of_run
           FROM weather_forecast_stats forecast
             LEFT JOIN weather_forecast_runs run ON run.validator_id = forecast.validator_id AND run.id = forecast.run_id
             LEFT JOIN ( SELECT DISTINCT ON (seed.validator_id, seed.run_id) seed.validator_id,
                    seed.run_id,
                    seed.error_type,
                    seed.error_json ->> 'message'::text AS error_message,
                    seed.next_retry_time,
                    seed.retries_remaining
                   FROM weather_forecast_steps seed
                  WHERE seed.step_name = 'seed'::text AND seed.miner_hotkey IS NULL
                  ORDER BY seed.validator_id, seed.run_id, (COALESCE(seed.completed_at, seed.started_at)) DESC, (seed.completed_at IS NOT NULL) DESC, seed.attempt DESC, seed.span_id DESC) gfs ON gfs.validator_id = forecast.validator_id AND gfs.run_id = forecast.run_id AND gfs.error_message IS NOT NULL
             LEFT JOIN archived_runs archived ON archived.validator_id = forecast.validator_id AND archived.run_id = forecast.run_id
             LEFT JOIN ( SELECT tried.validator_id,
                    tried.run_id,
                    array_agg(DISTINCT tried.lead_hours) AS hours
                   FROM ( SELECT step_1.validator_id,
                            step_1.run_id,
                            step_1.lead_hours
                           FROM weather_forecast_steps step_1
                          WHERE step_1.step_name = 'era5'::text AND step_1.lead_hours IS NOT NULL
                        UNION ALL
                         SELECT miner.validator_id,
                            miner.run_id,
                            split_part(slot.name, ':'::text, 3)::integer AS split_part
                           FROM archived_runs archived_1
                             JOIN weather_forecast_stats miner ON miner.validator_id = archived_1.validator_id AND miner.run_id = archived_1.run_id
                             CROSS JOIN LATERAL json_object_keys(miner.fold -> 'newest'::text) slot(name)
                          WHERE starts_with(slot.name, 'slot:era5:'::text)) tried
                  GROUP BY tried.validator_id, tried.run_id) run_leads ON run_leads.validator_id = forecast.validator_id AND run_leads.run_id = forecast.run_id
             CROSS JOIN LATERAL ( SELECT 'day1'::text AS score_type,
                    NULL::integer AS lead_hours
                  WHERE forecast.forecast_score_initial IS NULL
                UNION ALL
                 SELECT 'era5'::text,
                    lead.hours
                   FROM ( VALUES (24,forecast.era5_score_24h), (48,forecast.era5_score_48h), (72,forecast.era5_score_72h), (96,forecast.era5_score_96h), (120,forecast.era5_score_120h), (144,forecast.era5_score_144h), (168,forecast.era5_score_168h), (192,forecast.era5_score_192h), (216,forecast.era5_score_216h), (240,forecast.era5_score_240h)) lead(hours, score)
                  WHERE lead.score IS NULL AND
                        CASE
                            WHEN run_leads.hours IS NULL THEN lead.hours <= (24 * COALESCE(forecast.era5_expected_leads, 10))
                            ELSE lead.hours = ANY (run_leads.hours)
                        END
                UNION ALL
                 SELECT 'era5'::text,
                    lead.hours
                   FROM unnest(run_leads.hours) lead(hours)
                  WHERE (lead.hours <> ALL (ARRAY[24, 48, 72, 96, 120, 144, 168, 192, 216, 240])) AND NOT (EXISTS ( SELECT
                           FROM weather_forecast_steps scored
                          WHERE scored.validator_id = forecast.validator_id AND scored.run_id = forecast.run_id AND scored.miner_hotkey = forecast.miner_hotkey AND scored.step_name = 'era5'::text AND scored.lead_hours = lead.hours AND scored.status = 'succeeded'::text)) AND
                        CASE
                            WHEN archived.run_id IS NOT NULL THEN (forecast.fold #>> ARRAY['newest'::text, 'lead:'::text || lead.hours, 'value'::text]) IS NULL
                            ELSE true
                        END) wanted
             LEFT JOIN newest_attempts step ON step.validator_id = forecast.validator_id AND step.run_id = forecast.run_id AND step.miner_hotkey = forecast.miner_hotkey AND step.step_name = wanted.score_type AND (wanted.lead_hours IS NULL OR step.lead_hours = wanted.lead_hours) AND (step.step_name = ANY (ARRAY['day1'::text, 'era5'::text]))
             CROSS JOIN LATERAL ( SELECT forecast.forecast_status = ANY (ARRAY['completed'::text, 'failed'::text]) AS is_ended) forecast_end
             CROSS JOIN LATERAL ( SELECT 'slot:'::text || register.name AS slot,
                    'error:'::text || register.name AS error
                   FROM ( SELECT
                                CASE
                                    WHEN archived.run_id IS NOT NULL AND step.status IS NULL THEN wanted.score_type || COALESCE(':'::text || wanted.lead_hours, ''::text)
                                    ELSE NULL::text
                                END AS name) register) kept
             CROSS JOIN LATERAL ( SELECT run.completion_time IS NOT NULL AND (NOT forecast_end.is_ended OR forecast.forecast_status = 'failed'::text AND forecast.completed_at = run.completion_time) AS is_given_up,
                    (run.status = ANY (ARRAY['created'::text, 'seeding'::text])) AND gfs.error_message IS NOT NULL AS waits_for_gfs) course) told
     LEFT JOIN error_categories category ON category.category = told.error_type;
comment on view missing_scores is 'Why a miner has no score for a lead: the newest attempt at that lead, the error that ended the forecast, or what the run waits for.';
comment on column missing_scores.validator_id is 'Validator.';
comment on column missing_scores.run_id is 'Run.';
comment on column missing_scores.miner_uid is 'Slot of the miner.';
comment on column missing_scores.miner_hotkey is 'Miner.';
comment on column missing_scores.score_type is 'day1 or era5.';
comment on column missing_scores.lead_hours is 'Lead that has no score, hours after T0; null for day one.';
comment on column missing_scores.status is 'Status of the newest attempt at that score; of the forecast when there was none; of the run where that ended before.';
comment on column missing_scores.error_type is 'Error category of the cause.';
comment on column missing_scores.reason is 'Cause as one sentence.';
comment on column missing_scores.fault is 'Who is at fault: miner, upstream data, or the validator itself. A step of the run itself, which calls no miner, is never a miner''s.';
comment on column missing_scores.next_retry_time is 'When the score is tried again; that of the fetch of GFS while it is missing.';
comment on column missing_scores.retries_remaining is 'Retries left of that score; of the fetch of GFS while it is missing.';
comment on column missing_scores.trace_id is 'Trace of the newest attempt at that score; of the forecast when there was none.';
comment on column missing_scores.validator_hotkey is 'Identity of the validator.';

create view newest_attempts as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    step_name,
    substep,
    lead_hours,
    attempt,
    max_attempts,
    status,
    first_started_at,
    started_at,
    completed_at,
    retries_remaining,
    next_retry_time,
    error_type,
    error_message,
    trace_id,
    span_id,
    waiting,
    truth_due_time,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT DISTINCT ON (weather_forecast_steps.validator_id, weather_forecast_steps.run_id, weather_forecast_steps.miner_hotkey, weather_forecast_steps.step_name, weather_forecast_steps.lead_hours) weather_forecast_steps.validator_id,
            weather_forecast_steps.run_id,
            weather_forecast_steps.miner_uid,
            weather_forecast_steps.miner_hotkey,
            weather_forecast_steps.step_name,
            weather_forecast_steps.substep,
            weather_forecast_steps.lead_hours,
            weather_forecast_steps.attempt,
            weather_forecast_steps.max_attempts,
            weather_forecast_steps.status,
            min(weather_forecast_steps.started_at) OVER (PARTITION BY weather_forecast_steps.validator_id, weather_forecast_steps.run_id, weather_forecast_steps.miner_hotkey, weather_forecast_steps.step_name, weather_forecast_steps.lead_hours) AS first_started_at,
            weather_forecast_steps.started_at,
            weather_forecast_steps.completed_at,
            weather_forecast_steps.retries_remaining,
            weather_forecast_steps.next_retry_time,
            weather_forecast_steps.error_type,
            weather_forecast_steps.error_json ->> 'message'::text AS error_message,
            weather_forecast_steps.trace_id,
            weather_forecast_steps.span_id,
                CASE
                    WHEN weather_forecast_steps.status = 'waiting_for_truth'::text THEN weather_forecast_steps.context ->> 'waiting'::text
                    ELSE NULL::text
                END AS waiting,
                CASE
                    WHEN weather_forecast_steps.status = 'waiting_for_truth'::text THEN to_timestamp(((weather_forecast_steps.facts #>> '{state,truthDueTime}'::text[])::double precision) / '1000000'::numeric::double precision)
                    ELSE NULL::timestamp with time zone
                END AS truth_due_time
           FROM weather_forecast_steps
          WHERE weather_forecast_steps.step_name = ANY (ARRAY['seed'::text, 'query'::text, 'poll'::text, 'verify'::text, 'day1'::text, 'era5'::text, 'aggregate'::text])
          ORDER BY weather_forecast_steps.validator_id, weather_forecast_steps.run_id, weather_forecast_steps.miner_hotkey, weather_forecast_steps.step_name, weather_forecast_steps.lead_hours, (COALESCE(weather_forecast_steps.completed_at, weather_forecast_steps.started_at)) DESC, (weather_forecast_steps.completed_at IS NOT NULL) DESC, weather_forecast_steps.attempt DESC, weather_forecast_steps.span_id DESC) shown;
comment on view newest_attempts is 'How the newest attempt of each step of each miner stands, and when the first began.';
comment on column newest_attempts.validator_id is 'Validator.';
comment on column newest_attempts.run_id is 'weather.run.id.';
comment on column newest_attempts.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column newest_attempts.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column newest_attempts.step_name is 'weather.step.name.';
comment on column newest_attempts.substep is 'weather.step.substep.';
comment on column newest_attempts.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column newest_attempts.attempt is 'weather.step.attempt, counted from 1.';
comment on column newest_attempts.max_attempts is 'weather.step.max_attempts.';
comment on column newest_attempts.status is 'weather.step.status; in_progress while the span runs.';
comment on column newest_attempts.first_started_at is 'Start of the first attempt at the step.';
comment on column newest_attempts.started_at is 'Start of the span.';
comment on column newest_attempts.completed_at is 'End of the span.';
comment on column newest_attempts.retries_remaining is 'max(0, max_attempts - attempt).';
comment on column newest_attempts.next_retry_time is 'weather.retry.next_time: when the step is tried again.';
comment on column newest_attempts.error_type is 'error.type: category of the failure.';
comment on column newest_attempts.error_message is 'What went wrong, in words.';
comment on column newest_attempts.trace_id is 'Trace of the span, 32 hexadecimal digits.';
comment on column newest_attempts.span_id is 'The span, 16 hexadecimal digits.';
comment on column newest_attempts.waiting is 'What the step waits for, in words; null unless it waits for truth.';
comment on column newest_attempts.truth_due_time is 'weather.truth.due_time; null unless the step waits for truth.';
comment on column newest_attempts.validator_hotkey is 'Identity of the validator.';

create view repeated_scores as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    score_type,
    lead_hours,
    times_scored,
    span_ids,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT weather_forecast_steps.validator_id,
            weather_forecast_steps.run_id,
            weather_forecast_steps.miner_uid,
            weather_forecast_steps.miner_hotkey,
            weather_forecast_steps.step_name AS score_type,
            weather_forecast_steps.lead_hours,
            count(*) AS times_scored,
            array_agg(weather_forecast_steps.span_id ORDER BY weather_forecast_steps.completed_at, weather_forecast_steps.span_id) AS span_ids
           FROM weather_forecast_steps
          WHERE (weather_forecast_steps.step_name = ANY (ARRAY['day1'::text, 'era5'::text])) AND weather_forecast_steps.status = 'succeeded'::text
          GROUP BY weather_forecast_steps.validator_id, weather_forecast_steps.run_id, weather_forecast_steps.miner_uid, weather_forecast_steps.miner_hotkey, weather_forecast_steps.step_name, weather_forecast_steps.lead_hours
         HAVING count(*) > 1) shown;
comment on view repeated_scores is 'Leads that were scored more than once. The newest scoring is the one in the tables.';
comment on column repeated_scores.validator_id is 'Validator.';
comment on column repeated_scores.run_id is 'weather.run.id.';
comment on column repeated_scores.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column repeated_scores.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column repeated_scores.score_type is 'day1 or era5.';
comment on column repeated_scores.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column repeated_scores.times_scored is 'How often the lead was scored; at least 2.';
comment on column repeated_scores.span_ids is 'The scoring spans, the newest last.';
comment on column repeated_scores.validator_hotkey is 'Identity of the validator.';

create view run_completeness as
 WITH parts AS (
         SELECT step.validator_id,
            step.run_id,
            COALESCE(step.instance_id, ''::text) AS instance_id,
            count(*) FILTER (WHERE step.status <> 'in_progress'::text AND (step.facts ->> 'closing'::text) IS DISTINCT FROM 'spool_full'::text) AS recorded,
            count(*) FILTER (WHERE step.status = 'in_progress'::text) AS in_flight,
            count(*) FILTER (WHERE step.status = 'abandoned'::text) AS abandoned,
            count(*) FILTER (WHERE (step.facts ->> 'closing'::text) = 'spool_full'::text) AS lost_ends,
            count(*) FILTER (WHERE (step.facts ->> 'truncated'::text)::boolean) AS truncated,
            0::bigint AS dead,
            NULL::bigint AS started,
            0::bigint AS spooled,
            NULL::jsonb AS dropped
           FROM weather_forecast_steps step
          GROUP BY step.validator_id, step.run_id, (COALESCE(step.instance_id, ''::text))
        UNION ALL
         SELECT validator.id,
            letter.run_id,
            COALESCE(letter.instance_id, ''::text) AS "coalesce",
            0,
            - count(DISTINCT ROW(letter.trace_id, letter.span_id)) FILTER (WHERE (EXISTS ( SELECT
                   FROM weather_forecast_steps_running running
                  WHERE running.validator_id = validator.id AND running.trace_id = letter.trace_id AND running.span_id = letter.span_id))),
            0,
            0,
            0,
            count(DISTINCT ROW(letter.trace_id, letter.span_id)) AS count,
            NULL::bigint,
            0,
            NULL::jsonb
           FROM dead_letter_spans letter
             JOIN validators validator ON validator.hotkey = letter.validator_hotkey
          WHERE letter.run_id IS NOT NULL AND NOT (EXISTS ( SELECT
                   FROM weather_forecast_steps_finished finished
                  WHERE finished.validator_id = validator.id AND finished.trace_id = letter.trace_id AND finished.span_id = letter.span_id)) AND (letter.phase = 'ended'::text OR NOT (EXISTS ( SELECT
                   FROM weather_forecast_steps_running running
                  WHERE running.validator_id = validator.id AND running.trace_id = letter.trace_id AND running.span_id = letter.span_id)))
          GROUP BY validator.id, letter.run_id, (COALESCE(letter.instance_id, ''::text))
        UNION ALL
         SELECT books_1.validator_id,
            books_1.run_id,
            books_1.instance_id,
            0,
            0,
            0,
            0,
            0,
            0,
            books_1.started,
            books_1.spooled,
            books_1.dropped
           FROM emitter_runs books_1
        ), counted AS (
         SELECT parts.validator_id,
            parts.run_id,
            parts.instance_id,
            sum(parts.recorded) AS recorded,
            sum(parts.in_flight) AS in_flight,
            sum(parts.abandoned) AS abandoned,
            sum(parts.lost_ends) AS lost_ends,
            sum(parts.truncated) AS truncated,
            sum(parts.dead) AS dead,
            max(parts.started) AS told,
            sum(parts.recorded) + sum(parts.in_flight) + sum(parts.dead) + sum(parts.lost_ends) AS known,
            sum(parts.spooled) AS spooled,
            COALESCE(jsonb_agg(parts.dropped) FILTER (WHERE parts.dropped IS NOT NULL), '[]'::jsonb) AS dropped
           FROM parts
          GROUP BY parts.validator_id, parts.run_id, parts.instance_id
        ), total AS (
         SELECT counted.validator_id,
            counted.run_id,
            sum(GREATEST(counted.told::numeric, counted.known + counted.spooled + dropped_spans.spans))::bigint AS started,
            sum(counted.recorded)::bigint AS recorded,
            sum(counted.in_flight)::bigint AS in_flight,
            sum(counted.spooled)::bigint AS spooled,
            sum(counted.dead)::bigint AS dead,
            sum(counted.abandoned)::bigint AS abandoned,
            sum(counted.truncated)::bigint AS truncated,
            sum(counted.lost_ends)::bigint AS lost_ends,
            jsonb_agg(counted.dropped) AS dropped,
            count(NULLIF(counted.instance_id, ''::text)) AS emitters,
            array_agg(counted.instance_id) AS instances,
            jsonb_object_agg(counted.instance_id, ((counted.told || ' steps started by its count, '::text) || counted.known) || ' known'::text) FILTER (WHERE counted.known > counted.told::numeric) AS overcounts
           FROM counted
             CROSS JOIN LATERAL ( SELECT COALESCE(sum(entry.value::bigint), 0::numeric) AS spans
                   FROM jsonb_array_elements(counted.dropped) book(value)
                     CROSS JOIN LATERAL jsonb_each_text(book.value) entry(key, value)) dropped_spans
          GROUP BY counted.validator_id, counted.run_id
        )
 SELECT total.validator_id,
    total.run_id,
    total.started,
    total.recorded,
    total.in_flight,
    total.spooled,
    total.dead,
    COALESCE(dropped.spans, 0::bigint) AS dropped,
    COALESCE(dropped.by_reason, '{}'::jsonb) AS dropped_by_reason,
    total.started - total.recorded - total.in_flight - total.spooled - total.dead - COALESCE(dropped.spans, 0::bigint) AS unaccounted,
    books.missing AS missing_sequences,
    total.abandoned,
    total.truncated,
    total.emitters,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = total.validator_id) AS validator_hotkey,
    NULLIF(COALESCE(total.overcounts, '{}'::jsonb) || COALESCE(books.conflicts, '{}'::jsonb), '{}'::jsonb) AS emitter_conflicts,
        CASE
            WHEN senders.unnumbered > 0 THEN ('unknown: '::text || senders.unnumbered) || ' of the processes do not number their spans (weather.emitter.sequence)'::text
            ELSE NULL::text
        END AS sender_loss
   FROM total
     LEFT JOIN LATERAL ( SELECT jsonb_object_agg(told.reason, told.spans) AS by_reason,
            sum(told.spans)::bigint AS spans
           FROM ( SELECT one.reason,
                    sum(one.spans)::bigint AS spans
                   FROM ( SELECT entry.key AS reason,
                            entry.value::bigint AS spans
                           FROM jsonb_path_query(total.dropped, '$[*][*]'::jsonpath) book(book)
                             CROSS JOIN LATERAL jsonb_each_text(book.book) entry(key, value)
                        UNION ALL
                         SELECT 'spool_full'::text,
                            total.lost_ends
                          WHERE total.lost_ends > 0) one
                  GROUP BY one.reason) told) dropped ON true
     LEFT JOIN LATERAL ( SELECT jsonb_object_agg(books_1.instance_id, books_1.missing::text) FILTER (WHERE NOT isempty(books_1.missing)) AS missing,
            jsonb_object_agg(books_1.instance_id, books_1.conflict) FILTER (WHERE books_1.conflict IS NOT NULL) AS conflicts
           FROM emitter_books books_1
          WHERE (books_1.instance_id = ANY (total.instances)) AND (books_1.validator_id = total.validator_id OR NOT (EXISTS ( SELECT
                   FROM emitters own
                  WHERE own.validator_id = total.validator_id AND own.instance_id = books_1.instance_id AND own.last_sequence IS NOT NULL)))) books ON true
     CROSS JOIN LATERAL ( SELECT count(*) AS unnumbered
           FROM unnest(total.instances) instance(id)
          WHERE NOT (EXISTS ( SELECT
                   FROM emitters emitter
                  WHERE emitter.instance_id = instance.id AND emitter.last_sequence IS NOT NULL))) senders;
comment on view run_completeness is 'Whether anything of a run is missing: started = recorded + in_flight + spooled + dead + dropped; unaccounted is the difference.';
comment on column run_completeness.validator_id is 'Validator.';
comment on column run_completeness.run_id is 'weather.run.id.';
comment on column run_completeness.started is 'Spans of the run that were started, as counted by the processes that started them; of a process that counted fewer than are known, those that are known.';
comment on column run_completeness.recorded is 'Spans of the run whose end is in the log, abandoned ones included.';
comment on column run_completeness.in_flight is 'Spans of the run that are still running.';
comment on column run_completeness.spooled is 'Spans of the run that wait in the spool of their process, as counted by that process.';
comment on column run_completeness.dead is 'Spans of the run that were rejected and are stored in dead_letter_spans.';
comment on column run_completeness.dropped is 'Spans of the run whose record, or whose end, was dropped.';
comment on column run_completeness.dropped_by_reason is 'The same, by reason.';
comment on column run_completeness.unaccounted is 'Difference between started and the sum of the others; 0 is right, and it is never less.';
comment on column run_completeness.missing_sequences is 'Sequence numbers of lost records, by process; null is right.';
comment on column run_completeness.abandoned is 'Spans of the run that have a synthetic end only.';
comment on column run_completeness.truncated is 'Spans of the run that lost attributes or events to the limits of their SDK.';
comment on column run_completeness.emitters is 'Processes that made spans of the run.';
comment on column run_completeness.validator_hotkey is 'Identity of the validator.';
comment on column run_completeness.emitter_conflicts is 'Processes of the run whose numbers prove nothing, and why: the other columns may hide a loss then; null is right.';
comment on column run_completeness.sender_loss is 'What nobody can know: whether a process that does not number its spans sent all of them. Null when every process of the run numbers them; the other columns then prove that none is missing.';

create view run_progress as
 SELECT validator_id,
    run_id,
    gfs_init_time_utc,
    status,
    error_message,
    miners,
    completed,
    failed,
    in_flight,
    waiting,
    next_event,
    leads_scored,
    leads_expected,
    run_initiation_time,
    completion_time,
    trace_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT run.validator_id,
            run.id AS run_id,
            run.gfs_init_time_utc,
            run.status,
            run.error_message,
            count(forecast.miner_hotkey) AS miners,
            count(*) FILTER (WHERE forecast.forecast_status = 'completed'::text) AS completed,
            count(*) FILTER (WHERE forecast.forecast_status = 'failed'::text) AS failed,
            count(*) FILTER (WHERE (forecast.forecast_status <> ALL (ARRAY['completed'::text, 'failed'::text])) AND run.completion_time IS NULL) AS in_flight,
            count(*) FILTER (WHERE forecast.next_scheduled_retry IS NOT NULL AND run.completion_time IS NULL) AS waiting,
            min(forecast.next_scheduled_retry) FILTER (WHERE run.completion_time IS NULL) AS next_event,
            COALESCE(sum(forecast.era5_scored_leads), 0::bigint) AS leads_scored,
            COALESCE(sum(forecast.era5_expected_leads), 0::bigint) AS leads_expected,
            run.run_initiation_time,
            run.completion_time,
            run.trace_id
           FROM weather_forecast_runs run
             LEFT JOIN weather_forecast_stats forecast ON forecast.validator_id = run.validator_id AND forecast.run_id = run.id
          GROUP BY run.validator_id, run.id) shown;
comment on view run_progress is 'How far each run is: miners by outcome, leads scored of leads expected, and the next thing to happen.';
comment on column run_progress.validator_id is 'Validator.';
comment on column run_progress.run_id is 'Run.';
comment on column run_progress.gfs_init_time_utc is 'T0, the GFS initialisation time.';
comment on column run_progress.status is 'weather.run.status of the newest orchestration or fetch of GFS; a terminal status stays.';
comment on column run_progress.error_message is 'Why the run failed or was abandoned.';
comment on column run_progress.miners is 'Miners of the run.';
comment on column run_progress.completed is 'Miners whose forecast is completed.';
comment on column run_progress.failed is 'Miners whose forecast failed.';
comment on column run_progress.in_flight is 'Miners whose forecast is neither; 0 once the run has ended.';
comment on column run_progress.waiting is 'Miners that wait for a retry or for truth.';
comment on column run_progress.next_event is 'Earliest of those retries.';
comment on column run_progress.leads_scored is 'ERA5 leads scored, over all miners.';
comment on column run_progress.leads_expected is 'ERA5 leads to score, over all miners.';
comment on column run_progress.run_initiation_time is 'When the run was created; opens the manifest freeze window.';
comment on column run_progress.completion_time is 'When the run entered its terminal status.';
comment on column run_progress.trace_id is 'Trace of the run.';
comment on column run_progress.validator_hotkey is 'Identity of the validator.';

create view scheduled_retries as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    step_name,
    lead_hours,
    attempts_made,
    max_attempts,
    retries_remaining,
    next_retry_time,
    waits_for_truth,
    error_type,
    error_message,
    trace_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT step.validator_id,
            step.run_id,
            step.miner_uid,
            step.miner_hotkey,
            step.step_name,
            step.lead_hours,
            step.attempt AS attempts_made,
            step.max_attempts,
            step.retries_remaining,
            step.next_retry_time,
            step.status = 'waiting_for_truth'::text AS waits_for_truth,
            step.error_type,
            step.error_message,
            step.trace_id
           FROM newest_attempts step
             JOIN weather_forecast_runs run ON run.validator_id = step.validator_id AND run.id = step.run_id
             LEFT JOIN weather_forecast_stats forecast ON forecast.validator_id = step.validator_id AND forecast.run_id = step.run_id AND forecast.miner_hotkey = step.miner_hotkey
          WHERE step.next_retry_time IS NOT NULL AND (step.status = ANY (ARRAY['retry_scheduled'::text, 'waiting_for_truth'::text])) AND run.completion_time IS NULL AND (COALESCE(forecast.forecast_status, 'pending'::text) <> ALL (ARRAY['completed'::text, 'failed'::text]))) shown;
comment on view scheduled_retries is 'Which steps will be tried again, when, and how many retries are left then.';
comment on column scheduled_retries.validator_id is 'Validator.';
comment on column scheduled_retries.run_id is 'weather.run.id.';
comment on column scheduled_retries.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column scheduled_retries.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column scheduled_retries.step_name is 'weather.step.name.';
comment on column scheduled_retries.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column scheduled_retries.attempts_made is 'Attempts so far, the next one not counted.';
comment on column scheduled_retries.max_attempts is 'weather.step.max_attempts.';
comment on column scheduled_retries.retries_remaining is 'max(0, max_attempts - attempt).';
comment on column scheduled_retries.next_retry_time is 'weather.retry.next_time: when the step is tried again.';
comment on column scheduled_retries.waits_for_truth is 'Whether the step only waits until ERA5 is due: no failure, and no retry is used up.';
comment on column scheduled_retries.error_type is 'error.type: category of the failure.';
comment on column scheduled_retries.error_message is 'What went wrong at the newest attempt, in words.';
comment on column scheduled_retries.trace_id is 'Trace of the span, 32 hexadecimal digits.';
comment on column scheduled_retries.validator_hotkey is 'Identity of the validator.';

create view score_inputs as
 SELECT step.validator_id,
    step.run_id,
    step.miner_uid,
    step.miner_hotkey,
    step.step_name AS score_type,
    step.lead_hours,
    input.value ->> 'role'::text AS role,
    input.value ->> 'kind'::text AS kind,
    input.value ->> 'address'::text AS address,
    input.value ->> 'digest'::text AS digest,
    input.value ->> 'expver'::text AS expver,
    step.facts #>> '{state,scorerVersion}'::text[] AS scorer_version,
    step.completed_at AS scored_at,
    step.trace_id,
    step.span_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = step.validator_id) AS validator_hotkey
   FROM weather_forecast_steps step
     CROSS JOIN LATERAL jsonb_array_elements(
        CASE
            WHEN jsonb_typeof(step.facts #> '{state,scoreInputs}'::text[]) = 'array'::text THEN step.facts #> '{state,scoreInputs}'::text[]
            ELSE '[]'::jsonb
        END) input(value);
comment on view score_inputs is 'The stores that each scoring of a lead has read, one row a store. Its component scores have the same trace_id and span_id, and the digests of the single fields.';
comment on column score_inputs.validator_id is 'Validator.';
comment on column score_inputs.run_id is 'Run that the scoring is of.';
comment on column score_inputs.miner_uid is 'UID of the miner.';
comment on column score_inputs.miner_hotkey is 'Hotkey of the miner.';
comment on column score_inputs.score_type is 'day1 or era5.';
comment on column score_inputs.lead_hours is 'Lead, hours after T0.';
comment on column score_inputs.role is 'forecast, truth, analysis (the truth of day one), reference or climatology.';
comment on column score_inputs.kind is 'How the store was read: directory, http, memory, verified (over HTTP against the manifest), stream or program (by a program; of the last no bytes are known).';
comment on column score_inputs.address is 'Where it was, without host, user, query and folders.';
comment on column score_inputs.digest is 'SHA-256 over the digests of the fields that were read of it; null where no bytes are known.';
comment on column score_inputs.expver is 'Experiment version of ERA5 at the valid time: 0001 is final, 0005 preliminary (ERA5T, final two to three months later); null where the store has none.';
comment on column score_inputs.scorer_version is 'Version of the rules by which the fields became scores.';
comment on column score_inputs.scored_at is 'End of the scoring.';
comment on column score_inputs.trace_id is 'Trace of the scoring.';
comment on column score_inputs.span_id is 'Span of the scoring.';
comment on column score_inputs.validator_hotkey is 'Identity of the validator.';

create view step_faults as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    fault,
    error_type,
    step_name,
    failures,
    first_at,
    last_at,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT step.validator_id,
            step.run_id,
            step.miner_uid,
            step.miner_hotkey,
            party.fault,
            step.error_type,
            step.step_name,
            count(*) AS failures,
            min(step.completed_at) AS first_at,
            max(step.completed_at) AS last_at
           FROM weather_forecast_steps step
             JOIN error_categories category ON category.category = step.error_type
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN step.miner_hotkey IS NULL AND category.fault = 'miner'::text THEN 'upstream'::text
                            ELSE category.fault
                        END AS fault) party
          WHERE
                CASE
                    WHEN step.error_type = 'process_crash'::text THEN step.step_name <> 'communication'::text
                    ELSE step.step_name = 'communication'::text OR step.miner_hotkey IS NULL OR NOT category.is_transport
                END
          GROUP BY step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, party.fault, step.error_type, step.step_name) shown;
comment on view step_faults is 'Who is at fault for the failures of a run: a miner, upstream data, or the validator. Each failure counts once, at the step that caused it.';
comment on column step_faults.validator_id is 'Validator.';
comment on column step_faults.run_id is 'weather.run.id.';
comment on column step_faults.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column step_faults.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column step_faults.fault is 'Who is at fault: miner, upstream data, or the validator itself. A step of the run itself, which calls no miner, is never a miner''s.';
comment on column step_faults.error_type is 'error.type: category of the failure.';
comment on column step_faults.step_name is 'weather.step.name.';
comment on column step_faults.failures is 'Attempts of that step that ended with that error.';
comment on column step_faults.first_at is 'When it first happened.';
comment on column step_faults.last_at is 'When it last happened.';
comment on column step_faults.validator_hotkey is 'Identity of the validator.';

create view stuck_steps as
 SELECT validator_id,
    run_id,
    miner_uid,
    miner_hotkey,
    step_name,
    substep,
    lead_hours,
    attempt,
    status,
    since,
    waits_until,
    retries_remaining,
    error_type,
    error_message,
    trace_id,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = shown.validator_id) AS validator_hotkey
   FROM ( SELECT step.validator_id,
            step.run_id,
            step.miner_uid,
            step.miner_hotkey,
            step.step_name,
            step.substep,
            step.lead_hours,
            step.attempt,
            step.status,
            step.first_started_at AS since,
            step.next_retry_time AS waits_until,
            step.retries_remaining,
            step.error_type,
            step.error_message,
            step.trace_id
           FROM newest_attempts step
             JOIN weather_forecast_runs run ON run.validator_id = step.validator_id AND run.id = step.run_id
             LEFT JOIN weather_forecast_stats forecast ON forecast.validator_id = step.validator_id AND forecast.run_id = step.run_id AND forecast.miner_hotkey = step.miner_hotkey
          WHERE (step.status = ANY (ARRAY['in_progress'::text, 'retry_scheduled'::text, 'waiting_for_truth'::text, 'abandoned'::text])) AND run.completion_time IS NULL AND (COALESCE(forecast.forecast_status, 'pending'::text) <> ALL (ARRAY['completed'::text, 'failed'::text]))) shown;
comment on view stuck_steps is 'Which miners of a run are blocked, in which step, since when, and until when they wait. Empty for a run that has ended.';
comment on column stuck_steps.validator_id is 'Validator.';
comment on column stuck_steps.run_id is 'weather.run.id.';
comment on column stuck_steps.miner_uid is 'weather.miner.uid; null for a step of the run as a whole.';
comment on column stuck_steps.miner_hotkey is 'weather.miner.hotkey; null for a step of the run as a whole.';
comment on column stuck_steps.step_name is 'weather.step.name.';
comment on column stuck_steps.substep is 'weather.step.substep.';
comment on column stuck_steps.lead_hours is 'weather.lead_hours; null where a step has no lead.';
comment on column stuck_steps.attempt is 'weather.step.attempt, counted from 1.';
comment on column stuck_steps.status is 'weather.step.status; in_progress while the span runs.';
comment on column stuck_steps.since is 'Start of the first attempt at the step.';
comment on column stuck_steps.waits_until is 'When the step is tried again; null while it runs or was abandoned.';
comment on column stuck_steps.retries_remaining is 'max(0, max_attempts - attempt).';
comment on column stuck_steps.error_type is 'error.type: category of the failure.';
comment on column stuck_steps.error_message is 'What went wrong at the newest attempt, in words.';
comment on column stuck_steps.trace_id is 'Trace of the span, 32 hexadecimal digits.';
comment on column stuck_steps.validator_hotkey is 'Identity of the validator.';

create view unnumbered_senders as
 SELECT validator_id,
    instance_id,
    spans,
    first_seen,
    last_seen,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = validator_id) AS validator_hotkey
   FROM emitters emitter
  WHERE NOT (EXISTS ( SELECT
           FROM emitters numbered
          WHERE numbered.instance_id = instance_id AND numbered.last_sequence IS NOT NULL));
comment on view unnumbered_senders is 'Processes that do not number their spans (weather.emitter.sequence): nobody can know whether one was lost before the recorder. The runs that they took part in have a sender_loss in run_completeness.';
comment on column unnumbered_senders.validator_id is 'Validator.';
comment on column unnumbered_senders.instance_id is 'service.instance.id of the process; of one that sets none, the id that the recorder gave its resource.';
comment on column unnumbered_senders.spans is 'Spans of it that were seen, each once.';
comment on column unnumbered_senders.first_seen is 'Start of its earliest span.';
comment on column unnumbered_senders.last_seen is 'Latest timestamp in any span of the process.';
comment on column unnumbered_senders.validator_hotkey is 'Identity of the validator.';

create view unsampled_traces as
 SELECT validator_id,
    run_id,
    trace_id,
    count(*) AS steps,
    ( SELECT validators.hotkey
           FROM validators
          WHERE validators.id = validator_id) AS validator_hotkey
   FROM weather_forecast_steps step
  GROUP BY validator_id, run_id, trace_id
 HAVING bool_and(trace_sampled IS FALSE);
comment on view unsampled_traces is 'Traces that no trace store has: none of their steps in the log was sampled. Panels link every other trace.';
comment on column unsampled_traces.validator_id is 'Validator.';
comment on column unsampled_traces.run_id is 'Run that the steps are of.';
comment on column unsampled_traces.trace_id is 'The trace, 32 hexadecimal digits.';
comment on column unsampled_traces.steps is 'Steps of the trace in the log, of this run.';
comment on column unsampled_traces.validator_hotkey is 'Identity of the validator.';
