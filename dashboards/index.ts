import { renderDashboard, type DashboardDefinition } from './panels/dashboard.ts';
import { MINER_DASHBOARD } from './miner.ts';
import { PIPELINE_DASHBOARD } from './pipeline.ts';
import { RECORDER_DASHBOARD } from './recorder.ts';
import { RUN_DASHBOARD } from './run.ts';
import { SCORES_DASHBOARD } from './scores.ts';

/** All dashboards. */
const DASHBOARDS: readonly DashboardDefinition[] = [
  RUN_DASHBOARD,
  MINER_DASHBOARD,
  SCORES_DASHBOARD,
  PIPELINE_DASHBOARD,
  RECORDER_DASHBOARD,
];

/** The files that Grafana is provisioned with. */
export const DASHBOARD_FILES = DASHBOARDS.map((definition) => ({
  path: `dashboards/generated/${definition.name}.json`,
  render: () => renderDashboard(definition),
}));
