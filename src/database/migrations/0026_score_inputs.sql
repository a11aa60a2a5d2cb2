-- What a score was made from, so that it can be proved: a digest of the bytes of each field, and the stores of each scoring.
-- Rows of earlier versions keep null: nobody knows what they were read from.

alter table weather_forecast_component_scores
  add column forecast_digest bytea,
  add column truth_digest bytea,
  add column reference_digest bytea,
  add column climatology_digest bytea;
comment on column weather_forecast_component_scores.forecast_digest is
  'SHA-256 of the files and ranges that the field of the forecast was read from, and of what they mean. Null where it was not read, or where its store knows no bytes.';
comment on column weather_forecast_component_scores.truth_digest is
  'The same of the truth, which is the analysis for day one where there is one.';
comment on column weather_forecast_component_scores.reference_digest is
  'The same of the reference; null also where it lacks the field or the time.';
comment on column weather_forecast_component_scores.climatology_digest is
  'The same of the climatology; null also where it lacks the field or the time.';

create view score_inputs as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, step.step_name as score_type, step.lead_hours,
  input.value ->> 'role' as role, input.value ->> 'kind' as kind, input.value ->> 'address' as address,
  input.value ->> 'digest' as digest, input.value ->> 'expver' as expver,
  step.facts #>> '{state,scorerVersion}' as scorer_version, step.completed_at as scored_at, step.trace_id, step.span_id,
  (select hotkey from validators where id = step.validator_id) as validator_hotkey
from weather_forecast_steps as step
cross join lateral jsonb_array_elements(
  case when jsonb_typeof(step.facts #> '{state,scoreInputs}') = 'array' then step.facts #> '{state,scoreInputs}' else '[]' end
) as input (value);
comment on view score_inputs is
  'The stores that each scoring of a lead has read, one row a store. Its component scores have the same trace_id and span_id, and the digests of the single fields.';
comment on column score_inputs.validator_id is 'Validator.';
comment on column score_inputs.run_id is 'Run that the scoring is of.';
comment on column score_inputs.miner_uid is 'UID of the miner.';
comment on column score_inputs.miner_hotkey is 'Hotkey of the miner.';
comment on column score_inputs.score_type is 'day1 or era5.';
comment on column score_inputs.lead_hours is 'Lead, hours after T0.';
comment on column score_inputs.role is 'forecast, truth, analysis (the truth of day one), reference or climatology.';
comment on column score_inputs.kind is
  'How the store was read: directory, http, memory, verified (over HTTP against the manifest), stream or program (by a program; of the last no bytes are known).';
comment on column score_inputs.address is 'Where it was, without host, user, query and folders.';
comment on column score_inputs.digest is
  'SHA-256 over the digests of the fields that were read of it; null where no bytes are known.';
comment on column score_inputs.expver is
  'Experiment version of ERA5 at the valid time: 0001 is final, 0005 preliminary (ERA5T, final two to three months later); null where the store has none.';
comment on column score_inputs.scorer_version is 'Version of the rules by which the fields became scores.';
comment on column score_inputs.scored_at is 'End of the scoring.';
comment on column score_inputs.trace_id is 'Trace of the scoring.';
comment on column score_inputs.span_id is 'Span of the scoring.';
comment on column score_inputs.validator_hotkey is 'Identity of the validator.';

-- Rows hold no address in full; what opens the stores again stays with the control state, as the addresses of miners do.
alter table pipeline.runs add column store_locations jsonb;
comment on column pipeline.runs.store_locations is
  'Where the stores of the run are, by role, so that its scores can be verified; without those that hold a user or a query. Null for runs of earlier versions, and on stores that a program gave';
