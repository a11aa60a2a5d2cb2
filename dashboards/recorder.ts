import type { DashboardDefinition } from './panels/dashboard.ts';
import { recorderBatches } from './recorder/batches.ts';
import { recorderBooks } from './recorder/books.ts';
import { recorderHealth } from './recorder/health.ts';

/** The recorder: is anything lost, late or growing? */
export const RECORDER_DASHBOARD: DashboardDefinition = {
  name: 'recorder',
  title: 'Barograph · Recorder',
  description: 'Recording itself: is anything lost, late or growing, and does the database keep up?',
  variables: ['validator', 'jaeger'],
  from: 'now-6h',
  refresh: '30s',
  sections: [recorderHealth, recorderBatches, recorderBooks],
};
