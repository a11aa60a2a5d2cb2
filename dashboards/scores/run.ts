import { histogramPanel, scatterPanel } from '../panels/chart-panels.ts';
import {
  countColumn,
  forecastStatusColumn,
  messageColumn,
  minerColumn,
  scoreColumn,
  skillColumn,
  traceColumn,
  uidColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { trendPanel } from '../panels/graph-panels.ts';
import { dashboardLink } from '../panels/links.ts';
import { column, tablePanel } from '../panels/table-panel.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/scores.ts';

const leaderboard = tablePanel({
  id: 101,
  title: 'Leaderboard of the run',
  description:
    'The miners of the run, best first, by overall score: 0.95 of the ERA5 score and 0.05 for a passed day one. A miner ' +
    'without a rank has no score: the last error is the reason, and the dashboard Run shows who is at fault.',
  noValue: 'No miner of this run is recorded yet',
  width: 24,
  height: 12,
  sql: queries.LEADERBOARD,
  columns: [
    countColumn('miner_rank', 'Rank', { width: 60 }),
    uidColumn(),
    minerColumn(),
    scoreColumn('overall_forecast_score', 'Overall'),
    scoreColumn('era5_combined_score', 'ERA5'),
    scoreColumn('forecast_score_initial', 'Day 1'),
    column('era5_completeness', 'Leads scored', { unit: UNITS.ratio, decimals: 0, width: 100 }),
    scoreColumn('avg_acc', 'Mean ACC'),
    skillColumn('avg_skill_score', 'Mean skill'),
    forecastStatusColumn(),
    messageColumn('last_error_message'),
    traceColumn(),
  ],
});

const distribution = histogramPanel({
  id: 102,
  title: 'Distribution of scores',
  description:
    'How many miners of the run have which score. Two humps: two kinds of models, or copies of one. All at 0: check the ' +
    'truth before the miners.',
  unit: UNITS.score,
  noValue: 'No miner of this run has a score yet',
  width: 8,
  height: 9,
  bucketSize: 0.05,
  sql: queries.OVERALL_SCORES,
  fields: [
    { name: 'overall', title: 'Overall' },
    { name: 'era5', title: 'ERA5' },
    { name: 'day1', title: 'Day 1' },
  ],
});

const scatter = scatterPanel({
  id: 103,
  title: 'Day one against ERA5',
  description:
    'One point per miner: the day-one score, and the later ERA5 score of the same forecast. Far below the others: a good ' +
    'first day that did not last, as of a forecast that copies GFS and drifts.',
  unit: UNITS.score,
  noValue: 'No miner of this run has both scores yet',
  width: 8,
  height: 9,
  decimals: 3,
  sql: queries.DAY1_AGAINST_ERA5,
  x: 'forecast_score_initial',
  y: 'era5_combined_score',
  fields: [
    { name: 'forecast_score_initial', title: 'Day 1' },
    {
      name: 'era5_combined_score',
      title: 'ERA5',
      links: [dashboardLink('miner', 'All of this miner', { miner: 'miner_hotkey' })],
    },
    { name: 'miner', title: 'Miner', unit: UNITS.text },
  ],
});

const byLead = trendPanel({
  id: 104,
  title: 'Score by lead, all miners',
  description:
    'ERA5 score of each lead: the best, the median, the worst and the chosen miner. A lead at which all of them fall has ' +
    'a wrong truth, or one that was incomplete.',
  unit: UNITS.score,
  noValue: 'No lead of this run is scored yet',
  width: 8,
  height: 9,
  decimals: 3,
  xField: 'lead_hours',
  sql: queries.SCORE_BY_LEAD,
  fields: [
    { name: 'lead_hours', title: 'Lead', unit: UNITS.hours, decimals: 0 },
    { name: 'best', title: 'Best', colour: 'green' },
    { name: 'median', title: 'Median', colour: 'blue' },
    { name: 'worst', title: 'Worst', colour: 'red' },
    { name: 'chosen', title: 'Chosen miner', colour: 'yellow' },
  ],
});

export const scoresOfRun: Section = {
  id: 100,
  title: 'The run',
  panels: [leaderboard, distribution, scatter, byLead],
};
