import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCES } from './datasources.ts';
import { ofValidator } from './sql.ts';

const JAEGER_URL = 'http://localhost:16686';

const queryVariable = (options: { name: string; label: string; description: string }, sql: string) =>
  new QueryVariableBuilder(options.name)
    .label(options.label)
    .description(options.description)
    .datasource(DATASOURCES.postgres)
    .query(sql)
    .definition(sql)
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.Disabled)
    .multi(false)
    .includeAll(false);

/** What is chosen at the top of a dashboard. */
export const VARIABLES = {
  validator: () =>
    queryVariable(
      { name: 'validator', label: 'Validator', description: 'Whose runs are shown, by its hotkey.' },
      'select hotkey as __text, id::text as __value from validators order by id',
    ),
  run: () =>
    queryVariable(
      { name: 'run', label: 'Run', description: 'The forecast cycle that is shown; the newest comes first.' },
      `select run.id || ' · ' || coalesce(to_char(run.gfs_init_time_utc at time zone 'UTC', 'YYYY-MM-DD HH24') || 'Z', 'no T0 yet')
    || ' · ' || coalesce(run.status, 'created') as __text, run.id::text as __value
from weather_forecast_runs as run
where ${ofValidator('run')}
order by run.gfs_init_time_utc desc nulls last, run.id desc
limit 1000`,
    ),
  miner: () =>
    queryVariable(
      { name: 'miner', label: 'Miner', description: 'The miner that is shown, by its slot and its hotkey.' },
      `select coalesce(miner.miner_uid::text, '?') || ' · ' || miner.miner_hotkey as __text, miner.miner_hotkey as __value
from miner_stats as miner
where ${ofValidator('miner')}
order by miner.miner_uid nulls last, miner.miner_hotkey`,
    ),
  jaeger: () =>
    new TextBoxVariableBuilder('jaeger')
      .label('Jaeger')
      .description('Where traces are shown; the links of this dashboard lead there.')
      .defaultValue(JAEGER_URL)
      .current({ selected: true, text: JAEGER_URL, value: JAEGER_URL }),
} as const satisfies Record<string, () => Builder<VariableModel>>;
export type VariableName = keyof typeof VARIABLES;
