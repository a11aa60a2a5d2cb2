-- Rows of the projected tables that a version before this one computed, of a meaning that has changed since: forecasts
-- that failed through no fault of their miner, errors with their fault, runs that ended their forecasts. They are computed
-- again from the log, run by run, when the next process starts or by `barograph migrate`; nothing has to be done by hand.

create table outdated_projections (
  validator_id integer not null references validators (id) on delete cascade,
  run_id bigint,
  unique nulls not distinct (validator_id, run_id)
);

comment on table outdated_projections is
  'What a migration has marked for being computed again from the log; a row goes in the transaction that computes it. Empty: all rows have the meaning of this version.';
comment on column outdated_projections.validator_id is 'Validator.';
comment on column outdated_projections.run_id is
  'Run whose rows are outdated; null for the rows of miner_stats, which come after all runs of the validator.';

comment on view inconsistent_rows is
  'Rows of ended runs and forecasts that say that something is still to come. Empty, unless somebody changed rows by hand, a fault of Barograph made them, they wait in outdated_projections, or a process died whose spool is gone (barograph sweep closes its steps).';

-- Runs whose log is no longer whole keep their rows, as in a rebuild.
insert into outdated_projections (validator_id, run_id)
select run.validator_id, run.id from weather_forecast_runs as run
where not exists (
  select from archived_runs as archived where (archived.validator_id, archived.run_id) = (run.validator_id, run.id));
insert into outdated_projections (validator_id) select distinct validator_id from miner_stats;
