import type { DashboardDefinition } from './panels/dashboard.ts';
import { minerAttempts } from './miner/attempts.ts';
import { minerErrors } from './miner/errors.ts';
import { minerHistory } from './miner/history.ts';
import { minerTotals } from './miner/totals.ts';

/** One miner: all that it did, and every attempt of one run. */
export const MINER_DASHBOARD: DashboardDefinition = {
  name: 'miner',
  title: 'Barograph · Miner',
  description:
    'One miner: its rank, scores and streaks over all runs, its errors and latencies, and every attempt of the chosen run.',
  variables: ['validator', 'run', 'miner', 'jaeger'],
  from: 'now-90d',
  refresh: '1m',
  sections: [minerTotals, minerHistory, minerErrors, minerAttempts],
};
