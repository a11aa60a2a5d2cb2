import type { DashboardDefinition } from './panels/dashboard.ts';
import { scoresByField } from './scores/fields.ts';
import { scoresOfRun } from './scores/run.ts';
import { scoresOverTime } from './scores/over-time.ts';

/** The scores: of a run, of a miner by lead and field, and over time. */
export const SCORES_DASHBOARD: DashboardDefinition = {
  name: 'scores',
  title: 'Barograph · Scores',
  description:
    'Who is best and why: the leaderboard of a run, skill and ACC of a miner by lead, variable and level, day one against ' +
    'ERA5, and ranks over time.',
  variables: ['validator', 'run', 'miner', 'jaeger'],
  from: 'now-90d',
  refresh: '5m',
  sections: [scoresOfRun, scoresByField, scoresOverTime],
};
