import type { DashboardDefinition } from './panels/dashboard.ts';
import { runMiners } from './run/miners.ts';
import { runDecisions } from './run/decisions.ts';
import { runState } from './run/state.ts';
import { runWaits } from './run/waits.ts';

/** One run: how it stands, who is stuck, what waits for what, and what is missing. */
export const RUN_DASHBOARD: DashboardDefinition = {
  name: 'run',
  title: 'Barograph · Run',
  description:
    'One forecast cycle: how it stands, which miners are stuck and in which step, what waits for what and until when, ' +
    'and which scores are missing and why.',
  variables: ['validator', 'run', 'jaeger'],
  from: 'now-24h',
  refresh: '30s',
  sections: [runState, runMiners, runWaits, runDecisions],
};
