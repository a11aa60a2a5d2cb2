import { stageMapping } from '../panels/colours.ts';
import { barPanel } from '../panels/chart-panels.ts';
import {
  countColumn,
  errorTypeColumn,
  faultColumn,
  forecastStatusColumn,
  messageColumn,
  minerColumn,
  scoreColumn,
  stageColumn,
  stageStatusColumn,
  stepColumn,
  traceColumn,
  uidColumn,
} from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { hiddenColumn, instantColumn, tablePanel } from '../panels/table-panel.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/run.ts';

const grid = tablePanel({
  id: 201,
  title: 'Miners and the stages of their forecasts',
  description:
    'One row per miner: stage, status within it, last error without a later success, the next retry and how many are ' +
    'left. Red rows ended without a forecast. Follow the miner to every attempt, and the trace to what happened inside.',
  noValue: 'No miner of this run is recorded yet',
  width: 24,
  height: 14,
  sql: queries.MINER_GRID,
  columns: [
    uidColumn(),
    minerColumn({ range: ['from_ms', 'to_ms'] }),
    stageColumn(),
    stageStatusColumn(),
    forecastStatusColumn(),
    countColumn('miner_rank', 'Rank', { width: 55 }),
    scoreColumn('overall_forecast_score', 'Overall'),
    scoreColumn('forecast_score_initial', 'Day 1'),
    countColumn('era5_scored_leads', 'Leads', { width: 60 }),
    countColumn('era5_expected_leads', 'of', { width: 45 }),
    errorTypeColumn(),
    messageColumn('last_error_message'),
    instantColumn('next_scheduled_retry', 'Next retry'),
    countColumn('retries_remaining', 'Left', { width: 50 }),
    instantColumn('stage_since', 'In the stage since'),
    traceColumn(),
    hiddenColumn('from_ms'),
    hiddenColumn('to_ms'),
  ],
});

const byStage = barPanel({
  id: 202,
  title: 'Miners by stage',
  description:
    'How many forecasts are in each stage. Check a stage in which many stay as time passes: ' +
    'inference_requested points at the miners, era5_scoring at the truth.',
  unit: UNITS.count,
  noValue: 'No miner of this run is recorded yet',
  width: 8,
  height: 9,
  sql: queries.MINERS_BY_STAGE,
  nameField: 'stage',
  colourField: 'stage',
  fields: [{ name: 'stage', mappings: stageMapping() }],
});

const faults = tablePanel({
  id: 203,
  title: 'Failures, and who is at fault',
  description:
    'Failed attempts of the run, each counted once, where it happened. miner: inform its operator. upstream: GFS or ERA5 ' +
    'is late or wrong. validator: our own fault; follow a trace of such a step.',
  noValue: 'No attempt of this run has failed',
  width: 16,
  height: 9,
  sql: queries.RUN_FAULTS,
  columns: [
    faultColumn(),
    errorTypeColumn(),
    stepColumn(),
    countColumn('miners', 'Miners'),
    countColumn('failures', 'Failures'),
    instantColumn('last_at', 'Last'),
  ],
});

export const runMiners: Section = { id: 200, title: 'Miners and stages', panels: [grid, byStage, faults] };
