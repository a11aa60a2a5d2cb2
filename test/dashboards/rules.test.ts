import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERT_GROUPS, ALERTS } from '#dashboards/rules/alerts';
import { ERROR_BUDGET } from '#dashboards/rules/error-budget-alerts';
import { growth, series } from '#dashboards/rules/promql';
import { RECORDED_SERIES, RECORDING_GROUPS } from '#dashboards/rules/recording';
import { runbookOf, type AlertRule } from '#dashboards/rules/rule';
import {
  LONG_STEPS,
  PATIENT_RETRIES,
  PROMPT_RETRIES,
  SHORT_STEPS,
  TOO_LONG_SECONDS,
} from '#dashboards/rules/thresholds';
import { staleFiles } from '#scripts/generate';
import { DEFAULTS } from '#pipeline/pipeline-options';
import { RETRY_POLICIES, retryDelaySeconds, type RetriedStep } from '#pipeline/step/retry-policy';
import { TRUTH_POLL_SECONDS, truthDueTime, truthGiveUpTime } from '#pipeline/leads/truth-times';
import { METRICS } from '#semconv/metrics';
import { ERA5_LEAD_HOURS, STEP_NAMES } from '#semconv/vocabulary';
import { unknownNames } from './rules/series-vocabulary.ts';
import { yieldedLabels } from './rules/yielded-labels.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RECORDING_RULES = [...RECORDED_SERIES.values()];
const byName = (rule: AlertRule) => [rule.alert, rule] as const;

/** The labels that the texts of an alert use. */
const labelsUsed = ({ summary, description, dashboard }: AlertRule): readonly string[] =>
  [...`${summary} ${description} ${dashboard}`.matchAll(/\$labels\.(\w+)/g)].map(([, name = '']) => name);

describe('Recording rules', () => {
  it('there are recording rules, each name once', () => {
    const names = RECORDING_GROUPS.flatMap(({ rules }) => rules).map(({ record }) => record);
    expect(names.length).toBeGreaterThan(15);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^barograph:[a-z_]+[a-z]:[a-z][a-z0-9_]*$/);
  });

  it.each(RECORDING_RULES.map((rule) => [rule.record, rule] as const))(
    '%s uses the vocabulary and yields the labels that it declares',
    (_, { expr, labels }) => {
      expect(unknownNames(expr)).toEqual([]);
      expect([...(yieldedLabels(expr) ?? [])].sort()).toEqual([...labels].sort());
    },
  );
});

describe('Alerts', () => {
  it('there are alerts, each name once, in groups with unique names', () => {
    expect(ALERTS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).toBe(ALERTS.length);
    const groups = [...ALERT_GROUPS, ...RECORDING_GROUPS].map(({ name }) => name);
    expect(new Set(groups).size).toBe(groups.length);
  });

  it.each(ALERTS.map(byName))(
    '%s uses the vocabulary, and its texts use labels that its series have',
    (_, rule) => {
      expect(unknownNames(rule.expr)).toEqual([]);
      const yielded = [...(yieldedLabels(rule.expr) ?? [])];
      expect(labelsUsed(rule).filter((label) => !yielded.includes(label))).toEqual([]);
    },
  );

  it.each(ALERTS.map(byName))('%s has a summary of one line, and a dashboard that shows it', (_, rule) => {
    expect(rule.summary).toMatch(/^[^\n]{20,120}$/);
    expect(rule.description).toMatch(/\.$/);
    expect(rule.dashboard).toMatch(/^\/d\/barograph-(run|miner|scores|pipeline|recorder)(\?|$)/);
    expect(rule.for).toMatch(/^\d+[smh]$/);
  });

  it('an alert about a run or a miner opens its dashboard', () => {
    for (const rule of ALERTS) {
      const yielded = yieldedLabels(rule.expr) ?? new Set();
      if (yielded.has('run_id')) expect(rule.dashboard).toContain('var-run={{ $labels.run_id }}');
      if (yielded.has('miner_hotkey'))
        expect(rule.dashboard).toContain('var-miner={{ $labels.miner_hotkey | urlquery }}');
    }
  });

  it('a label whose values others choose reaches no text of an alert as it is', () => {
    for (const { alert, summary, description, dashboard } of ALERTS) {
      expect(`${summary} ${description}`, alert).not.toMatch(
        /\$labels\.(miner|validator)_hotkey(?! \| reReplaceAll)/,
      );
      expect(dashboard, alert).not.toMatch(/\$labels\.(miner|validator)_hotkey(?! \| urlquery)/);
    }
  });

  it('an alert about a run or a miner names its validator, whose number the commands take', () => {
    const rules = ALERTS.filter(({ expr }) => {
      const yielded = yieldedLabels(expr) ?? new Set();
      return ['validator_id', 'run_id', 'miner_hotkey'].some((label) => yielded.has(label));
    });
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, summary, dashboard } of rules) {
      expect(summary, alert).toContain('of validator {{ $labels.validator_id }}');
      expect(dashboard, alert).toContain('?var-validator={{ $labels.validator_id }}');
    }
  });

  it('no page is caused by a single miner', () => {
    const ofMiners = ALERTS.filter(({ expr }) => yieldedLabels(expr)?.has('miner_hotkey'));
    expect(ofMiners.map(({ severity }) => severity)).toEqual(ofMiners.map(() => 'ticket'));
    expect(ofMiners.length).toBeGreaterThan(0);
  });
});

describe('Runbooks', () => {
  const folder = join(ROOT, 'dashboards', 'runbooks');
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'));

  it('each alert has one runbook, and there is no other', () => {
    expect(files.map((name) => `dashboards/runbooks/${name}`).sort()).toEqual(ALERTS.map(runbookOf).sort());
  });

  it.each(ALERTS.map(byName))(
    'the runbook of %s has every section that an operator needs at night',
    (_, rule) => {
      const text = readFileSync(join(ROOT, runbookOf(rule)), 'utf8');
      expect(text.startsWith(`# ${rule.alert}\n`)).toBe(true);
      const lines = text.trimEnd().split('\n').length;
      expect(lines).toBeGreaterThanOrEqual(15);
      expect(lines).toBeLessThanOrEqual(40);
      for (const part of ['## What it means', '## What to look at', '## What to do', '## When it ends'])
        expect(text).toContain(`\n${part}\n`);
      expect(text).toContain(rule.severity === 'page' ? '**Page' : '**Ticket');
    },
  );

  it('runbooks link only to files that exist', () => {
    const links = files.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(
        ([, target = '']) => target,
      ),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((target) => !existsSync(join(folder, target)))).toEqual([]);
  });
});

describe('Generated rules', () => {
  const read = (file: string) =>
    parse(readFileSync(join(ROOT, 'dashboards/generated', file), 'utf8')) as {
      readonly groups: readonly { readonly rules: readonly unknown[] }[];
    };

  it('the checked-in rules are what the code builds', async () => {
    expect(await staleFiles(ROOT)).toEqual([]);
  });

  it('the generated files hold every rule', () => {
    const count = (file: string) => read(file).groups.flatMap(({ rules }) => rules).length;
    expect(count('alerts.rules.yaml')).toBe(ALERTS.length);
    expect(count('recording.rules.yaml')).toBe(RECORDING_RULES.length);
  });
});

describe('Limits of the alerts', () => {
  /** Seconds from the first attempt to the last when every attempt fails. */
  const waits = (step: RetriedStep): number => {
    const { maxAttempts } = RETRY_POLICIES[step];
    const delays = Array.from({ length: maxAttempts - 1 }, (_, index) => retryDelaySeconds(step, index + 1));
    return delays.reduce<number>((sum, delay) => sum + (delay ?? 0), 0);
  };

  it('a late GFS is reported while most of the freeze window, which closes before its last attempt, is left', () => {
    const windowSeconds = DEFAULTS.freezeWindowMillis / 1000;
    expect(windowSeconds).toBe(120 * 60);
    expect(waits('seed')).toBe(135 * 60);
    expect(TOO_LONG_SECONDS.gfs).toBeLessThan(windowSeconds / 2);
  });

  it('the limit for an inference is beyond all queries and polls', () => {
    expect(TOO_LONG_SECONDS.inference).toBeGreaterThan(waits('query') + waits('poll') + 1800);
  });

  it('late truth is reported after some of its checks and long before it is given up', () => {
    const now = new Date(0);
    const spareSeconds = Math.min(
      ...ERA5_LEAD_HOURS.map((lead) => +truthGiveUpTime(now, lead) - +truthDueTime(now, lead)),
    );
    expect(TOO_LONG_SECONDS.truth).toBeGreaterThan(3 * TRUTH_POLL_SECONDS);
    expect(TOO_LONG_SECONDS.truth).toBeLessThan(spareSeconds / 1000 / 2);
  });

  it('the limits cover every step, and the retries of every step that is retried', () => {
    expect([...SHORT_STEPS, ...LONG_STEPS].sort()).toEqual([...STEP_NAMES].sort());
    expect([...PROMPT_RETRIES, ...PATIENT_RETRIES].sort()).toEqual(Object.keys(RETRY_POLICIES).sort());
  });

  it('the burn rates leave an error budget', () => {
    expect(ERROR_BUDGET).toBe(0.01);
    expect(ALERTS.find(({ alert }) => alert === 'BarographErrorBudgetFastBurn')?.expr).toContain('> 0.144');
  });
});

describe('Checker of the rules', () => {
  it('an unknown metric, label or member of a closed set is found', () => {
    expect(unknownNames('rate(barograph_steps_total{step="bake"}[5m])')).toEqual([
      'barograph_steps_total{step="bake"}',
    ]);
    expect(unknownNames('barograph_steps_total{run_id="1"} or barograph_stepz')).toEqual([
      'barograph_steps_total{run_id}',
      'barograph_stepz',
    ]);
  });

  it('the position of a syntax error is found', () => {
    expect(() => unknownNames('sum(up')).toThrow('No PromQL');
  });

  it.each([
    ['up', ['instance', 'job']],
    ['absent(up{job="barograph"})', ['job']],
    ['sum(up)', []],
    ['max without (instance) (up)', ['job']],
    ['topk(3, up)', ['instance', 'job']],
    ['up / on (job) up', ['job']],
    ['up / on (job) group_left () sum by (job) (up)', ['instance', 'job']],
    ['up / ignoring (job) up', ['instance']],
    ['time() - up > 3', ['instance', 'job']],
    ['sum by (job) (up) or up', ['job']],
    ['up unless on (job) barograph_steps_total', ['instance', 'job']],
    ['label_replace(sum(up), "step", "seed", "", "")', ['step']],
    ['vector(1)', []],
    [
      'histogram_quantile(0.5, sum by (step, le) (rate(barograph_step_duration_seconds_bucket[5m])))',
      ['step'],
    ],
  ])('the labels of %s are derived', (expression, labels) => {
    expect([...(yieldedLabels(expression) ?? [])].sort()).toEqual(labels);
  });

  it('a series that is new in the window counts in full', () => {
    const errors = series(METRICS.stepErrors, { step: 'verify' });
    expect(growth(errors, '1h')).toBe(
      `((${errors} unless last_over_time(${errors}[5m] offset 1h)) or increase(${errors}[1h]))`,
    );
  });
});
