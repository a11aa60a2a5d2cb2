-- A row names the trace of its step, also when nobody sent that trace anywhere. A link to it leads nowhere then.
alter table weather_forecast_steps add column trace_sampled boolean;
comment on column weather_forecast_steps.trace_sampled is
  'The sampled flag of the span: whether its trace was to be sent to a trace store. False also where the recorder has no OTLP endpoint and no program around it has the trace. Null where nobody says: rows of earlier versions, and senders over OTLP that leave the flag out.';

create view unsampled_traces as
select step.validator_id, step.trace_id, count(*) as steps,
  (select hotkey from validators where id = step.validator_id) as validator_hotkey
from weather_forecast_steps as step
group by step.validator_id, step.trace_id
having bool_and(step.trace_sampled is false);
comment on view unsampled_traces is
  'Traces that no trace store has: none of their steps in the log was sampled. Panels link every other trace.';
comment on column unsampled_traces.validator_id is 'Validator.';
comment on column unsampled_traces.trace_id is 'The trace, 32 hexadecimal digits.';
comment on column unsampled_traces.steps is 'Steps of the trace in the log.';
comment on column unsampled_traces.validator_hotkey is 'Identity of the validator.';

-- Anybody who may send spans of a validator can name miners that no run of it asked for.
alter table miner_stats add column is_selected boolean not null default false;
comment on column miner_stats.is_selected is
  'Whether a run took the miner in: the step seed of the miner is recorded. Where there is room for some miners only, as among the series of metrics, they come before those that were merely named.';
insert into outdated_projections (validator_id) select distinct validator_id from miner_stats on conflict do nothing;
