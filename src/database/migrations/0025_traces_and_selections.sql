-- A row names the trace of its step, also when nobody sent that trace anywhere. A link to it leads nowhere then.
alter table weather_forecast_steps add column trace_sampled boolean;
comment on column weather_forecast_steps.trace_sampled is
  'The sampled flag of the span: whether its trace was to be sent to a trace store. False also where the recorder has no OTLP endpoint and no program around it has the trace. Null where nobody says: rows of earlier versions, and senders over OTLP that leave the flag out.';

create view unsampled_traces as
select step.validator_id, step.run_id, step.trace_id, count(*) as steps,
  (select hotkey from validators where id = step.validator_id) as validator_hotkey
from weather_forecast_steps as step
group by step.validator_id, step.run_id, step.trace_id
having bool_and(step.trace_sampled is false);
comment on view unsampled_traces is
  'Traces that no trace store has: none of their steps in the log was sampled. Panels link every other trace.';
comment on column unsampled_traces.validator_id is 'Validator.';
comment on column unsampled_traces.run_id is 'Run that the steps are of.';
comment on column unsampled_traces.trace_id is 'The trace, 32 hexadecimal digits.';
comment on column unsampled_traces.steps is 'Steps of the trace in the log, of this run.';
comment on column unsampled_traces.validator_hotkey is 'Identity of the validator.';

-- Anybody who may send spans of a validator can name miners that no run of it asked for.
alter table miner_stats add column is_selected boolean not null default false;
comment on column miner_stats.is_selected is
  'Whether a run took the miner in: the step seed of the miner is recorded. Where there is room for some miners only, as among the series of metrics, they come before those that were merely named.';
create or replace view current_miner_stats as
select distinct on (validator_id, miner_uid)
  validator_id, miner_uid, miner_hotkey, miner_rank, avg_forecast_score, successful_forecasts,
  failed_forecasts, forecast_success_ratio, hosting_successes, hosting_failures, host_reliability_ratio,
  avg_hosting_latency_ms, avg_day1_score, avg_era5_score, avg_era5_completeness, best_forecast_score,
  worst_forecast_score, score_std_dev, last_successful_forecast, last_failed_forecast, consecutive_successes,
  consecutive_failures, total_inference_time, avg_inference_time, common_errors, error_rate_by_type,
  first_seen, last_active, validator_hotkey, updated_at, fold, excused_forecasts, is_selected
from miner_stats
where miner_uid is not null
order by validator_id, miner_uid, updated_at desc, miner_hotkey;
comment on column current_miner_stats.is_selected is
  'Whether a run took the miner in: the step seed of the miner is recorded. Where there is room for some miners only, as among the series of metrics, they come before those that were merely named.';
insert into outdated_projections (validator_id) select distinct validator_id from miner_stats on conflict do nothing;

-- Where it is unknown whether a sender lost spans, an empty set of missing records proves nothing.
create view unnumbered_senders as
select emitter.validator_id, emitter.instance_id, emitter.spans, emitter.first_seen, emitter.last_seen,
  (select hotkey from validators where id = emitter.validator_id) as validator_hotkey
from emitters as emitter
where not exists (
  select from emitters as numbered
  where numbered.instance_id = emitter.instance_id and numbered.last_sequence is not null);
comment on view unnumbered_senders is
  'Processes that do not number their spans (weather.emitter.sequence): nobody can know whether one was lost before the recorder. The runs that they took part in have a sender_loss in run_completeness.';
comment on column unnumbered_senders.validator_id is 'Validator.';
comment on column unnumbered_senders.instance_id is 'service.instance.id of the process; of one that sets none, the id that the recorder gave its resource.';
comment on column unnumbered_senders.spans is 'Spans of it that were seen, each once.';
comment on column unnumbered_senders.first_seen is 'Start of its earliest span.';
comment on column unnumbered_senders.last_seen is 'Latest timestamp in any span of the process.';
comment on column unnumbered_senders.validator_hotkey is 'Identity of the validator.';
