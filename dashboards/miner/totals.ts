import type { Section } from '../panels/dashboard.ts';
import { sqlStatPanel } from '../panels/stat-panel.ts';
import { NEUTRAL, ONE_IS_BEST, ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/miner.ts';

const NO_MINER = 'No miner is chosen, or it has nothing of the kind yet';

const totals = sqlStatPanel({
  id: 101,
  title: 'Over all runs',
  description:
    'Rank by mean forecast score, that score, completed of finished forecasts, calls that worked of all, and leads scored ' +
    'of those expected. A good score with poor reliability: the miner has to host better.',
  unit: UNITS.count,
  noValue: NO_MINER,
  width: 10,
  height: 4,
  sql: queries.MINER_TOTALS,
  thresholds: NEUTRAL,
  fields: [
    { name: 'miner_rank', title: 'Rank' },
    {
      name: 'avg_forecast_score',
      title: 'Mean score',
      unit: UNITS.score,
      decimals: 3,
      thresholds: ONE_IS_BEST,
    },
    {
      name: 'forecast_success_ratio',
      title: 'Completed',
      unit: UNITS.ratio,
      decimals: 1,
      thresholds: ONE_IS_BEST,
    },
    {
      name: 'host_reliability_ratio',
      title: 'Calls that worked',
      unit: UNITS.ratio,
      decimals: 1,
      thresholds: ONE_IS_BEST,
    },
    {
      name: 'avg_era5_completeness',
      title: 'Leads scored',
      unit: UNITS.ratio,
      decimals: 1,
      thresholds: ONE_IS_BEST,
    },
  ],
});

const streaks = sqlStatPanel({
  id: 102,
  title: 'Streaks',
  description:
    'Newest forecasts completed in a row, failed in a row, and all of both. Three failures in a row are no accident: see ' +
    '"Errors by category".',
  unit: UNITS.count,
  noValue: NO_MINER,
  width: 8,
  height: 4,
  sql: queries.MINER_STREAKS,
  thresholds: NEUTRAL,
  fields: [
    { name: 'consecutive_successes', title: 'Good streak', thresholds: ['green'] },
    {
      name: 'consecutive_failures',
      title: 'Bad streak',
      thresholds: ['green', [1, 'orange'], [3, 'red']],
    },
    { name: 'successful_forecasts', title: 'Completed' },
    { name: 'failed_forecasts', title: 'Failed', thresholds: ZERO_IS_USUAL },
    { name: 'excused_forecasts', title: 'Excused' },
  ],
});

const times = sqlStatPanel({
  id: 103,
  title: 'Last',
  description:
    'The last call that worked, the last forecast completed and the last that failed. A miner that was last active before ' +
    'the newest run is offline.',
  unit: UNITS.instant,
  noValue: NO_MINER,
  width: 6,
  height: 4,
  sql: queries.MINER_TIMES,
  thresholds: NEUTRAL,
  fields: [
    { name: 'last_active', title: 'Active' },
    { name: 'last_successful_forecast', title: 'Completed' },
    { name: 'last_failed_forecast', title: 'Failed' },
  ],
});

export const minerTotals: Section = {
  id: 100,
  title: 'The miner as a whole',
  panels: [totals, streaks, times],
};
