-- The read-only role of Grafana: it may select from the recorded tables and views (schema public) and nothing else, has
-- no access to the control state of the pipeline or its queue, and its queries are cancelled after 15 seconds.
--
-- Idempotent. Run it as the role that migrates (the user of DATABASE_URL), before or after the first migration: default
-- privileges make what that role creates later readable, too. It sets no password; give the role one that only Grafana has:
--
--   psql "$DATABASE_URL" -f dashboards/provisioning/grafana-reader.sql -c '\password grafana_reader'
--
-- Compose runs it once, when the database is created, and grafana-reader-password.sh after it.

do $$
begin
  create role grafana_reader;
exception
  when duplicate_object or unique_violation then null;
end $$;
alter role grafana_reader login nosuperuser nocreatedb nocreaterole noreplication connection limit 20;

-- Settings for this database only.
do $$
declare
  setting text;
begin
  foreach setting in array array[
    'default_transaction_read_only = on',
    'statement_timeout = ''15s''',
    'idle_in_transaction_session_timeout = ''15s''',
    'lock_timeout = ''2s''',
    -- Compiling a query of a panel would take longer than the query.
    'jit = off',
    'search_path = public'
  ] loop
    execute format('alter role grafana_reader in database %I set %s', current_database(), setting);
  end loop;
end $$;

grant usage on schema public to grafana_reader;
grant select on all tables in schema public to grafana_reader;
alter default privileges in schema public grant select on tables to grafana_reader;
