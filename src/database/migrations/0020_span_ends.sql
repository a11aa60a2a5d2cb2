-- Transactional outbox for the ends of pipeline steps, in a table of our own. They stood in the payload of the queue's
-- jobs, which is a private table of the queue and goes with the job. Ends that are there already are replayed from there.

create table pipeline.span_ends (
  span_end_id bigint generated always as identity primary key,
  queue_job_id bigint not null,
  delivery integer not null check (delivery >= 0),
  encoded text not null,
  committed_at timestamptz not null default now()
);

create index span_ends_of_job on pipeline.span_ends (queue_job_id);

comment on table pipeline.span_ends is
  'Ends of steps that are committed and perhaps not yet exported; a row goes once the span of the step has ended or the end is recorded';
comment on column pipeline.span_ends.span_end_id is 'The stored end, in the order of the commits of a job';
comment on column pipeline.span_ends.queue_job_id is 'Job whose next delivery replays the end; when there is no such job, any worker does';
comment on column pipeline.span_ends.delivery is 'Delivery of the job that committed the end, from 1; 0 for an end that was stored with a new job';
comment on column pipeline.span_ends.encoded is 'The end as the recorder encodes it';
comment on column pipeline.span_ends.committed_at is 'When its transaction began';
