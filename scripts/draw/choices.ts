import type { DashboardChoice } from '../dashboards/interpolate.ts';
import type { Recording } from './recording.ts';

/** What an operator would have chosen in each dashboard, by its uid. */
export type Choices = Readonly<Record<string, DashboardChoice>>;

interface Chosen {
  readonly open: string;
  readonly ended: string;
  readonly failing: string;
  readonly since: Date;
  readonly until: Date;
}

/** The open run, the newest one that ended, and the miner that was asked again most often in it. */
const QUERY = `
  with ended as (select max(id) as id from weather_forecast_runs where completion_time is not null)
  select (select max(id) from weather_forecast_runs)::text as open, ended.id::text as ended,
    (select step.miner_hotkey from weather_forecast_steps as step
     join weather_forecast_stats as stat on stat.run_id = step.run_id and stat.miner_hotkey = step.miner_hotkey
     where step.run_id = ended.id and step.error_type is not null and stat.overall_forecast_score is not null
     group by step.miner_hotkey order by count(*) desc, step.miner_hotkey limit 1) as failing,
    (select min(started_at) from weather_forecast_steps where run_id = ended.id) as since,
    (select max(completed_at) from weather_forecast_steps where run_id = ended.id) as until
  from ended`;
const HISTORY_MILLIS = 90 * 86_400_000;

/** Chooses, for each dashboard, what there is most to see of. */
export async function choose({ pool, from }: Recording): Promise<Choices> {
  const { rows } = await pool.query<Chosen>(QUERY);
  const [chosen] = rows;
  if (chosen === undefined) throw new Error('no run was recorded');
  const { open, ended, failing, since, until } = chosen;
  const variables = { validator: '1', jaeger: 'http://localhost:16686', run: ended, miner: failing };
  const to = new Date();
  const history = { from: new Date(to.getTime() - HISTORY_MILLIS), to };
  return {
    'barograph-run': { variables: { ...variables, run: open }, ...history },
    'barograph-miner': { variables, from: since, to: until },
    'barograph-scores': { variables, ...history },
    'barograph-pipeline': { variables, from, to },
    'barograph-recorder': { variables, from, to },
  };
}
