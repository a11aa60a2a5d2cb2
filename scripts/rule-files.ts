import { stringify } from 'yaml';
import { alertGroups } from '#dashboards/rules/alerts';
import { PRODUCTION, type Paces } from '#dashboards/rules/pace';
import { recordingGroups } from '#dashboards/rules/recording';
import { runbookOf, type AlertRule } from '#dashboards/rules/rule';

const HEADER = '# Written by `npm run generate` from dashboards/rules; do not edit.\n';

/** The rule files of Prometheus, which are generated and checked in. */
export const RULE_FILES = [
  { path: 'dashboards/generated/recording.rules.yaml', render: () => renderRecordingRules(PRODUCTION) },
  { path: 'dashboards/generated/alerts.rules.yaml', render: () => renderAlertRules(PRODUCTION) },
] as const;

/** The recording rules as a Prometheus rule file, at the given paces. */
export const renderRecordingRules = (paces: Paces): string =>
  render(
    recordingGroups(paces).map(({ name, rules }) => ({
      name,
      rules: rules.map(({ record, expr }) => ({ record, expr })),
    })),
  );

/** The alerts as a Prometheus rule file, at the given paces. */
export const renderAlertRules = (paces: Paces): string =>
  render(alertGroups(paces).map(({ name, rules }) => ({ name, rules: rules.map(alertDocument) })));

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
