import { ERA5_LEAD_HOURS } from '#semconv';
import { leadColumn, messageColumn, traceColumn } from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { trendPanel } from '../panels/graph-panels.ts';
import { sqlStatPanel } from '../panels/stat-panel.ts';
import { column, hiddenColumn, tablePanel } from '../panels/table-panel.ts';
import { NEUTRAL, ONE_IS_BEST, SKILL, type Thresholds } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/scores.ts';

const NO_COMPONENTS = 'No field of this miner in this run is scored, or retention has dropped its scores';

const chosen = sqlStatPanel({
  id: 201,
  title: 'The chosen miner over all runs',
  description:
    'Rank, and mean scores of all its forecasts. A large deviation: the miner is good on some days only, so see ' +
    '"Scores over the runs" of the dashboard Miner before judging it by one run.',
  unit: UNITS.score,
  noValue: 'No miner is chosen, or it has no score yet',
  width: 8,
  height: 9,
  decimals: 3,
  sql: queries.CHOSEN_MINER,
  thresholds: ONE_IS_BEST,
  fields: [
    { name: 'miner_rank', title: 'Rank', unit: UNITS.count, decimals: 0, thresholds: NEUTRAL },
    { name: 'avg_forecast_score', title: 'Mean score' },
    { name: 'avg_day1_score', title: 'Mean day 1' },
    { name: 'avg_era5_score', title: 'Mean ERA5' },
    { name: 'score_std_dev', title: 'Deviation', thresholds: NEUTRAL },
  ],
});

const byLead = trendPanel({
  id: 202,
  title: 'Skill and ACC by lead',
  description:
    'Means over all variables and levels of the chosen miner in the chosen run. Both fall with the lead. ACC below 0.6 is ' +
    'of no use; skill below 0 is worse than the reference: climatology for ERA5, GFS on day one. The skill that ' +
    'counts removes the mean error first, the plain skill (1 - mse / mse of the reference) does not: where it lies far below, ' +
    'the forecast is too high or too low as a whole. A lead of which a field failed its check has no score and no point here.',
  unit: UNITS.score,
  noValue: NO_COMPONENTS,
  width: 16,
  height: 9,
  decimals: 3,
  xField: 'lead_hours',
  sql: queries.SKILL_BY_LEAD,
  fields: [
    { name: 'lead_hours', title: 'Lead', unit: UNITS.hours, decimals: 0 },
    { name: 'acc', title: 'ACC', colour: 'green' },
    { name: 'skill', title: 'Skill that counts', colour: 'blue' },
    { name: 'skill_gfs', title: 'Skill against GFS', colour: 'orange' },
    { name: 'skill_climatology', title: 'Skill against climatology', colour: 'purple' },
    { name: 'plain_gfs', title: 'Plain skill against GFS', colour: 'light-orange' },
    { name: 'plain_climatology', title: 'Plain skill against climatology', colour: 'light-purple' },
  ],
});

/** ACC of 0.6 is the usual limit of use. */
const ACC: Thresholds = ['red', [0.4, 'orange'], [0.6, 'yellow'], [0.8, 'light-green'], [0.9, 'green']];

function heatMap(options: {
  id: number;
  title: string;
  description: string;
  sql: string;
  thresholds: Thresholds;
}) {
  const leads = ['day 1', ...ERA5_LEAD_HOURS.map((lead) => `${lead} h`)];
  return tablePanel({
    id: options.id,
    title: options.title,
    description: options.description,
    noValue: NO_COMPONENTS,
    width: 12,
    height: 16,
    sql: options.sql,
    columns: [
      column('variable_name', 'Field', { width: 60 }),
      column('pressure_level', 'hPa', { unit: UNITS.count, width: 50 }),
      ...leads.map((lead) =>
        column(lead, lead.replace(' h', ''), {
          unit: UNITS.score,
          decimals: 2,
          width: 50,
          thresholds: options.thresholds,
        }),
      ),
    ],
  });
}

const acc = heatMap({
  id: 203,
  title: 'ACC by variable, level and lead in hours',
  description:
    'Each field of the chosen miner. A single red row: the miner has that variable wrong, often its unit or its ' +
    'level. A single red column: the truth of that lead is wrong. Blank in a row or column of numbers: the field failed ' +
    'its check, see "Fields that failed a check, or lack a metric".',
  sql: queries.ACC_GRID,
  thresholds: ACC,
});

const skill = heatMap({
  id: 204,
  title: 'Skill by variable, level and lead in hours',
  description:
    'The same for the skill that counts. Below 0 the field is worse than its reference; on day one a copy of GFS has a ' +
    'skill of 0 less its penalty.',
  sql: queries.SKILL_GRID,
  thresholds: SKILL,
});

const missing = tablePanel({
  id: 205,
  title: 'Fields that failed a check, or lack a metric',
  description:
    'Fields of the chosen miner, by lead: what its forecast lacks, what could not be read as it was frozen, values that ' +
    'are missing, extreme or implausible. Its operator must check the fields; "no finite metric" may be due to truth ' +
    'itself. A failed check of a field that is there leaves an ERA5 lead without a score.',
  noValue: 'Every field of this miner in this run passed its checks',
  width: 24,
  height: 7,
  sql: queries.MISSING_METRICS,
  columns: [
    column('score_type', 'Score', { width: 70 }),
    leadColumn(),
    column('variable_name', 'Variable', { width: 90 }),
    column('pressure_level', 'hPa', { unit: UNITS.count, width: 80 }),
    column('failed_check', 'Failed check', { width: 150 }),
    messageColumn('reason', 'Why'),
    traceColumn('span_id'),
    hiddenColumn('span_id'),
  ],
});

export const scoresByField: Section = {
  id: 200,
  title: 'The chosen miner, by lead, variable and level',
  panels: [chosen, byLead, acc, skill, missing],
};
