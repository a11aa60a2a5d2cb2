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

/** The only validator of a recording. */
const VALIDATOR = '1';

/** The open run, the newest one that ended, and the miner that was asked again most often in it. */
const QUERY = `
  with run as (select * from weather_forecast_runs where validator_id = ${VALIDATOR}),
    step as (select * from weather_forecast_steps where validator_id = ${VALIDATOR}),
    ended as (select max(id) as id from run where completion_time is not null)
  select (select max(id) from run)::text as open, ended.id::text as ended,
    (select miner_hotkey from step join weather_forecast_stats as stat using (validator_id, run_id, miner_hotkey)
     where run_id = ended.id and step.error_type is not null and stat.overall_forecast_score is not null
     group by miner_hotkey order by count(*) desc, miner_hotkey limit 1) as failing,
    (select min(started_at) from step where run_id = ended.id) as since,
    (select max(completed_at) from step where run_id = ended.id) as until
  from ended`;
const HISTORY_MILLIS = 90 * 86_400_000;

/** Chooses, for each dashboard, what there is most to see of. */
export async function choose({ pool, from }: Recording): Promise<Choices> {
  const { rows } = await pool.query<Chosen>(QUERY);
  const [chosen] = rows;
  if (chosen === undefined) throw new Error('no run was recorded');
  const { open, ended, failing, since, until } = chosen;
  const variables = { validator: VALIDATOR, jaeger: 'http://localhost:16686', run: ended, miner: failing };
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
