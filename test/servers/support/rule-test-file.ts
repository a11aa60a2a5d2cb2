import { stringify } from 'yaml';
import { ALERT_GROUPS, ALERTS } from '#dashboards/rules/alerts';
import { RECORDING_GROUPS } from '#dashboards/rules/recording';
import { runbookOf } from '#dashboards/rules/rule';
import type { Firing, RuleCase } from './rule-cases.ts';

/** A case as `promtool test rules` reads it. */
export function renderRuleTest(
  { alert, interval = '1m', series, firing, quiet }: RuleCase,
  ruleFiles: readonly string[],
): string {
  return stringify({
    rule_files: ruleFiles,
    evaluation_interval: interval,
    // Without a fixed order an alert may be evaluated before the recording rules that it reads.
    group_eval_order: [...RECORDING_GROUPS, ...ALERT_GROUPS].map(({ name }) => name),
    tests: [
      {
        interval,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: [
          ...firing.map((moment) => ({
            alertname: alert,
            eval_time: moment.at,
            exp_alerts: [expectedAlert(alert, moment)],
          })),
          ...quiet.map((at) => ({ alertname: alert, eval_time: at, exp_alerts: [] })),
        ],
      },
    ],
  });
}

function expectedAlert(alert: string, { labels, value = '' }: Firing) {
  const rule = ALERTS.find((candidate) => candidate.alert === alert);
  if (rule === undefined) throw new Error(`There is no alert ${alert}.`);
  const { severity, summary, description, dashboard } = rule;
  const fillIn = (template: string): string =>
    template
      // What follows a bar leaves these names as they are.
      .replaceAll(/\{\{ \$labels\.(\w+)(?: \| .*?)? \}\}/g, (_, label: string) => labels[label] ?? '')
      .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
  return {
    exp_labels: { ...labels, severity },
    exp_annotations: {
      summary: fillIn(summary),
      description: fillIn(description),
      runbook: runbookOf(rule),
      dashboard: fillIn(dashboard),
    },
  };
}
