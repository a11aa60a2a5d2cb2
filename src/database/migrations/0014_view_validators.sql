-- Each row that a view shows says whose it is: beside the number of the validator stands its hotkey. Two validators may
-- number their runs alike, and a row that names only the run is read as the other's.
--
-- Each view becomes itself with a column more, whatever its text is by now. The hotkey is a subquery and no join: who
-- does not ask for it does not pay for it, the order of the rows stays, and conditions reach the indexes as before.
do $$
declare
  old record;
begin
  for old in
    select class.oid::regclass as name, rtrim(pg_get_viewdef(class.oid), ';') as definition
    from pg_class as class
    where class.relkind = 'v' and class.oid in (
      'emitter_books'::regclass, 'failed_checks'::regclass, 'forecast_timeline'::regclass,
      'inconsistent_rows'::regclass, 'late_ends'::regclass, 'miner_leaderboard'::regclass,
      'missing_scores'::regclass, 'newest_attempts'::regclass, 'repeated_scores'::regclass,
      'run_completeness'::regclass, 'run_progress'::regclass, 'scheduled_retries'::regclass, 'step_faults'::regclass,
      'stuck_steps'::regclass)
    order by class.relname
  loop
    execute format(
      'create or replace view %s as
       select shown.*, (select hotkey from validators where id = shown.validator_id) as validator_hotkey from (%s) as shown',
      old.name, old.definition);
    execute format('comment on column %s.validator_hotkey is %L', old.name, 'Identity of the validator.');
  end loop;
end
$$;
