-- Control state: what the pipeline needs to resume, written by the pipeline in its own transactions. It is no record:
-- nothing is derived from it for people, and the recorded tables are never read to decide work.
-- The job queue (graphile-worker) keeps its own tables in the same schema and migrates them itself.

create schema if not exists pipeline;

create table pipeline.runs (
  run_id integer generated always as identity primary key,
  validator_hotkey text not null,
  init_time timestamptz not null,
  initiated_at timestamptz not null,
  status text not null default 'created' check (status in (
    'created', 'seeding', 'gfs_ready', 'querying_miners', 'awaiting_results',
    'completed', 'failed', 'all_miners_failed', 'stale_abandoned')),
  day1_lead integer not null check (day1_lead > 0),
  era5_leads integer[] not null check (cardinality(era5_leads) > 0),
  revision integer not null default 0,
  attempt integer not null default 1 check (attempt >= 1),
  next_at timestamptz,
  root_traceparent text,
  attempt_traceparent text,
  failure_category text,
  failure_message text,
  finished_at timestamptz
);

create unique index runs_one_active_per_cycle on pipeline.runs (validator_hotkey, init_time)
  where status not in ('completed', 'failed', 'all_miners_failed', 'stale_abandoned');

create table pipeline.run_miners (
  run_id integer not null references pipeline.runs (run_id) on delete cascade,
  miner_uid integer not null check (miner_uid between 0 and 255),
  miner_hotkey text not null,
  base_url text not null,
  state text not null default 'created' check (state in (
    'created', 'seeded', 'querying', 'polling', 'verifying', 'scoring', 'completed', 'failed')),
  revision integer not null default 0,
  attempt integer not null default 1 check (attempt >= 1),
  next_at timestamptz,
  root_traceparent text,
  attempt_traceparent text,
  job_id text,
  job_accepted_at timestamptz,
  inference_completed_at timestamptz,
  failed_step text,
  failure_category text,
  failure_message text,
  primary key (run_id, miner_uid),
  unique (run_id, miner_hotkey)
);

create unique index run_miners_one_holder_per_job on pipeline.run_miners (run_id, job_id) where job_id is not null;

create table pipeline.frozen_manifests (
  run_id integer not null,
  miner_uid integer not null,
  manifest_hash text not null,
  store_path text not null,
  header jsonb not null,
  files jsonb not null,
  frozen_at timestamptz not null,
  primary key (run_id, miner_uid),
  foreign key (run_id, miner_uid) references pipeline.run_miners (run_id, miner_uid) on delete cascade
);

create table pipeline.leads (
  run_id integer not null,
  miner_uid integer not null,
  score_type text not null check (score_type in ('day1', 'era5')),
  lead_hours integer not null check (lead_hours > 0),
  state text not null default 'pending' check (state in ('pending', 'due', 'waiting_for_truth', 'scored', 'failed')),
  revision integer not null default 0,
  attempt integer not null default 1 check (attempt >= 1),
  next_at timestamptz,
  attempt_traceparent text,
  score double precision,
  failure_category text,
  failure_message text,
  primary key (run_id, miner_uid, score_type, lead_hours),
  foreign key (run_id, miner_uid) references pipeline.run_miners (run_id, miner_uid) on delete cascade
);

comment on schema pipeline is 'Control state of the pipeline and its job queue; not a record, see the public schema';
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
comment on table pipeline.frozen_manifests is 'The manifest to which a miner''s forecast is held';
comment on column pipeline.frozen_manifests.run_id is 'The run';
comment on column pipeline.frozen_manifests.miner_uid is 'The miner';
comment on column pipeline.frozen_manifests.manifest_hash is 'SHA-256 of the manifest as it was read';
comment on column pipeline.frozen_manifests.store_path is 'Where the forecast lies on its host, without the host';
comment on column pipeline.frozen_manifests.header is 'The manifest without its list of files';
comment on column pipeline.frozen_manifests.files is 'Hash of each file, by its path in the store';
comment on column pipeline.frozen_manifests.frozen_at is 'When the manifest was frozen';
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
