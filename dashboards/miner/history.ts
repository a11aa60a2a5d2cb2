import {
  countColumn,
  forecastStatusColumn,
  messageColumn,
  scoreColumn,
  secondsColumn,
  stageColumn,
  traceColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { trendPanel } from '../panels/graph-panels.ts';
import { dashboardLink } from '../panels/links.ts';
import type { FieldOptions } from '../panels/panel-options.ts';
import { column, hiddenColumn, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/miner.ts';

const NONE_FINISHED = 'No forecast of this miner has ended yet';
/** The T0 of a run, over which the lines are drawn. */
const init: FieldOptions = { name: 'init_ms', title: 'T0', unit: UNITS.day };

const scores = trendPanel({
  id: 201,
  title: 'Scores over the runs',
  description:
    'Scores of finished forecasts at their T0, whatever the time range: overall, against ERA5, and of day one. A fall of ' +
    'all miners at once points to the truth or to us (dashboard Scores); a fall of this miner only, to its model.',
  unit: UNITS.score,
  noValue: NONE_FINISHED,
  width: 14,
  height: 8,
  decimals: 3,
  isJoined: true,
  xField: init.name,
  sql: queries.SCORE_HISTORY,
  fields: [
    init,
    { name: 'overall_forecast_score', title: 'Overall' },
    { name: 'era5_combined_score', title: 'ERA5' },
    { name: 'forecast_score_initial', title: 'Day 1' },
  ],
});

const rank = trendPanel({
  id: 202,
  title: 'Rank over the runs: 1 is the best',
  description:
    'Rank in each run by overall score, whatever the time range. A rank that jumps while the score stays: ' +
    'others changed, not this miner.',
  unit: UNITS.count,
  noValue: NONE_FINISHED,
  width: 10,
  height: 8,
  decimals: 0,
  isJoined: true,
  xField: init.name,
  sql: queries.RANK_HISTORY,
  fields: [init, { name: 'miner_rank', title: 'Rank' }],
});

const forecasts = tablePanel({
  id: 203,
  title: 'Forecasts of all runs',
  description:
    'A row a run, the newest first. Follow the run number to the attempts of that run, and the trace to what happened inside.',
  noValue: 'This miner has no forecast yet',
  width: 24,
  height: 9,
  sql: queries.FORECAST_HISTORY,
  columns: [
    column('run_id', 'Run', {
      width: 80,
      links: [
        dashboardLink('miner', 'The attempts of this run', {
          run: 'run_id',
          miner: 'miner_hotkey',
          range: ['from_ms', 'to_ms'],
        }),
        dashboardLink('run', 'The run as a whole', { run: 'run_id' }),
        dashboardLink('scores', 'The scores of this run', { run: 'run_id', miner: 'miner_hotkey' }),
      ],
    }),
    instantColumn('forecast_init_time', 'T0'),
    forecastStatusColumn(),
    stageColumn(),
    countColumn('miner_rank', 'Rank'),
    scoreColumn('overall_forecast_score', 'Overall'),
    scoreColumn('era5_combined_score', 'ERA5'),
    scoreColumn('forecast_score_initial', 'Day 1'),
    column('era5_completeness', 'Leads scored', { unit: UNITS.ratio, decimals: 0, width: 100 }),
    secondsColumn('forecast_inference_duration_seconds', 'Inference'),
    messageColumn('last_error_message'),
    traceColumn(),
    hiddenColumn('miner_hotkey'),
    hiddenColumn('from_ms'),
    hiddenColumn('to_ms'),
  ],
});

export const minerHistory: Section = { id: 200, title: 'Over the runs', panels: [scores, rank, forecasts] };
