import type { Section } from '../panels/dashboard.ts';
import { sqlLinesPanel } from '../panels/graph-panels.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/scores.ts';

const ranks = sqlLinesPanel({
  id: 301,
  title: 'Rank over time: 1 is the best',
  description:
    'Ranks of the ten best of the chosen run and of the chosen miner, in each run at its T0. Lines that ' +
    'keep together may be one model under several hotkeys.',
  unit: UNITS.count,
  noValue: 'No finished forecast has its T0 in this time range',
  width: 12,
  height: 10,
  decimals: 0,
  min: 1,
  isJoined: true,
  lineName: '${__field.labels.miner}',
  sql: queries.RANK_OVER_TIME,
});

const scores = sqlLinesPanel({
  id: 302,
  title: 'Scores over time, all miners',
  description:
    'Overall scores of each run that has ended, at its T0: the best, and the quartiles. A fall of all at once points to the truth, to ' +
    'GFS or to us; a fall of the lower quartile only, to some miners.',
  unit: UNITS.score,
  noValue: 'No run that has ended has its T0 in this time range',
  width: 12,
  height: 10,
  decimals: 3,
  min: 0,
  isJoined: true,
  sql: queries.SCORES_OVER_TIME,
  fields: [
    { name: 'best', title: 'Best' },
    { name: 'upper_quartile', title: 'Upper quartile' },
    { name: 'median', title: 'Median' },
    { name: 'lower_quartile', title: 'Lower quartile' },
  ],
});

export const scoresOverTime: Section = { id: 300, title: 'Over time', panels: [ranks, scores] };
