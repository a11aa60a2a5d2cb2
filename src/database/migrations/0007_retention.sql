-- Retention: old partitions of the log go, what they told of the miners stays.

create table dropped_partitions (
  name text primary key,
  table_name text not null,
  from_time timestamptz not null,
  to_time timestamptz not null,
  dropped_at timestamptz not null
);
comment on table dropped_partitions is 'Partitions of the log that retention dropped. A late span of one of them becomes a dead letter.';
comment on column dropped_partitions.name is 'Name that the partition had.';
comment on column dropped_partitions.table_name is 'Table that it was a partition of.';
comment on column dropped_partitions.from_time is 'It held what is at this time or later: started_at of steps, valid_time_utc of component scores.';
comment on column dropped_partitions.to_time is 'And before this time.';
comment on column dropped_partitions.dropped_at is 'When it was last dropped, by the clock of the database.';

create table archived_runs (
  validator_id integer not null references validators (id),
  run_id bigint not null,
  primary key (validator_id, run_id)
);
comment on table archived_runs is 'Runs whose log is no longer whole. Their rows stay as they are; a rebuild leaves them alone.';
comment on column archived_runs.validator_id is 'Validator.';
comment on column archived_runs.run_id is 'Run.';

create table archived_miner_stats (
  validator_id integer not null references validators (id),
  miner_hotkey text not null,
  fold json not null,
  primary key (validator_id, miner_hotkey)
);
comment on table archived_miner_stats is 'What the dropped steps of a miner added to miner_stats: a rebuild starts from it.';
comment on column archived_miner_stats.validator_id is 'Validator.';
comment on column archived_miner_stats.miner_hotkey is 'Identity of the miner.';
comment on column archived_miner_stats.fold is 'The fold of the dropped steps, as in miner_stats.';

alter table dead_letter_spans add constraint dead_letter_spans_reason_check check (reason in (
  'invalid_attribute', 'missing_attribute', 'clock_out_of_range', 'partition_dropped', 'refused_by_database'));
create index dead_letter_spans_reason on dead_letter_spans (reason);
comment on table dead_letter_spans is 'Spans that could not be recorded, kept whole with the reason; barograph dead-letters replays them.';
comment on column dead_letter_spans.reason is
  'Why: invalid_attribute, missing_attribute, clock_out_of_range, partition_dropped or refused_by_database.';
comment on column dead_letter_spans.detail is 'What was got and what is allowed, or SQLSTATE and message of the refusal.';
comment on column dead_letter_spans.span is
  'The span itself, scrubbed of secrets; only its ids and its name when the database took no more.';
