#!/bin/sh
# Run by the PostgreSQL image when it creates the database, after grafana-reader.sql.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set=password="$GRAFANA_READER_PASSWORD" <<'SQL'
alter role grafana_reader password :'password';
SQL
