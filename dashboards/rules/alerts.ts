import { errorBudgetAlerts } from './error-budget-alerts.ts';
import { minerAlerts } from './miner-alerts.ts';
import { PRODUCTION, type Paces } from './pace.ts';
import { recorderAlerts } from './recorder-alerts.ts';
import type { AlertRule, RuleGroup } from './rule.ts';
import { runAlerts } from './run-alerts.ts';

/** All alerts, grouped by subject. */
export const alertGroups = ({ pipeline, recorder }: Paces): readonly RuleGroup<AlertRule>[] => [
  { name: 'barograph-run-alerts', rules: runAlerts(pipeline) },
  { name: 'barograph-miner-alerts', rules: minerAlerts(pipeline) },
  { name: 'barograph-error-budget-alerts', rules: errorBudgetAlerts(pipeline) },
  { name: 'barograph-recorder-alerts', rules: recorderAlerts(recorder) },
];

/** The alerts as they are checked in. */
export const ALERT_GROUPS = alertGroups(PRODUCTION);

export const ALERTS: readonly AlertRule[] = ALERT_GROUPS.flatMap(({ rules }) => rules);
