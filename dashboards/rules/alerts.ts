import { ERROR_BUDGET_ALERTS } from './error-budget-alerts.ts';
import { MINER_ALERTS } from './miner-alerts.ts';
import { RECORDER_ALERTS } from './recorder-alerts.ts';
import type { AlertRule, RuleGroup } from './rule.ts';
import { RUN_ALERTS } from './run-alerts.ts';

/** All alerts, by what they are about. */
export const ALERT_GROUPS: readonly RuleGroup<AlertRule>[] = [
  { name: 'barograph-run-alerts', rules: RUN_ALERTS },
  { name: 'barograph-miner-alerts', rules: MINER_ALERTS },
  { name: 'barograph-error-budget-alerts', rules: ERROR_BUDGET_ALERTS },
  { name: 'barograph-recorder-alerts', rules: RECORDER_ALERTS },
];

export const ALERTS: readonly AlertRule[] = ALERT_GROUPS.flatMap(({ rules }) => rules);
