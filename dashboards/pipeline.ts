import type { DashboardDefinition } from './panels/dashboard.ts';
import { pipelineErrors } from './pipeline/errors.ts';
import { pipelineFlow } from './pipeline/flow.ts';
import { pipelineState } from './pipeline/state.ts';

/** The pipeline as a whole: how fast, how well, and what it waits for. */
export const PIPELINE_DASHBOARD: DashboardDefinition = {
  name: 'pipeline',
  title: 'Barograph · Pipeline',
  description:
    'The pipeline over all runs: what waits, and the open runs of the chosen validator; throughput, latencies, error rates ' +
    'and who is at fault, of all validators together.',
  variables: ['validator', 'jaeger'],
  from: 'now-6h',
  refresh: '30s',
  sections: [pipelineState, pipelineFlow, pipelineErrors],
};
