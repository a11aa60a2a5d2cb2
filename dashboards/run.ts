import type { DashboardDefinition } from './panels/dashboard.ts';
import { runMiners } from './run/miners.ts';
import { runDecisions } from './run/decisions.ts';
import { runState } from './run/state.ts';
import { runWaits } from './run/waits.ts';

/** One run: its state, stuck miners, waits, and missing scores. */
export const RUN_DASHBOARD: DashboardDefinition = {
  name: 'run',
  title: 'Barograph · Run',
  description:
    'One forecast cycle: its state, which miners are stuck and in which step, what waits for what and until when, ' +
    'and which scores are missing and why.',
  variables: ['validator', 'run', 'jaeger'],
  from: 'now-24h',
  refresh: '30s',
  sections: [runState, runMiners, runWaits, runDecisions],
};
