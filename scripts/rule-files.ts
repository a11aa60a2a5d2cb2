import { stringify } from 'yaml';
import { ALERT_GROUPS } from '../dashboards/rules/alerts.ts';
import { RECORDING_GROUPS } from '../dashboards/rules/recording.ts';
import { runbookOf, type AlertRule } from '../dashboards/rules/rule.ts';

const HEADER = '# Written by `npm run generate` from dashboards/rules; do not edit.\n';

/** The rule files of Prometheus, which are generated and checked in. */
export const RULE_FILES = [
  { path: 'dashboards/generated/recording.rules.yaml', render: () => renderRecordingRules() },
  { path: 'dashboards/generated/alerts.rules.yaml', render: () => renderAlertRules() },
] as const;

const renderRecordingRules = (): string =>
  render(
    RECORDING_GROUPS.map(({ name, rules }) => ({
      name,
      rules: rules.map(({ record, expr }) => ({ record, expr })),
    })),
  );

const renderAlertRules = (): string =>
  render(ALERT_GROUPS.map(({ name, rules }) => ({ name, rules: rules.map(alertDocument) })));

function alertDocument(rule: AlertRule) {
  const { alert, expr, severity, summary, description, dashboard } = rule;
  return {
    alert,
    expr,
    for: rule.for,
    labels: { severity },
    annotations: { summary, description, runbook: runbookOf(rule), dashboard },
  };
}

const render = (groups: readonly object[]): string => HEADER + stringify({ groups }, { lineWidth: 0 });
