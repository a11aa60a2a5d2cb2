import { describe, expect, it } from 'vitest';
import type { MetricDefinition } from '#semconv/metric-definition';
import { METRIC_GROUPS, METRICS, type MetricKey } from '#semconv/metrics';
import { PROM_TARGETS } from '#scripts/dashboards/generated';
import { growthAsIncrease, mentionsIn, syntaxErrors, type Mention } from './support/promql.ts';

/** Metrics of the process itself. All others mirror tables, so every process exposes the same values. */
const PER_PROCESS = new Set(Object.keys({ ...METRIC_GROUPS.steps, ...METRIC_GROUPS.recorder }));
/** Labels that Prometheus itself adds. */
const OF_PROMETHEUS = ['instance', 'job'];

const definitions = Object.entries(METRICS) as [MetricKey, MetricDefinition][];

function definitionOf(name: string): readonly [MetricKey, MetricDefinition] | undefined {
  return definitions.find(([, metric]) =>
    metric.type === 'histogram'
      ? ['_bucket', '_sum', '_count'].some((suffix) => name === `${metric.name}${suffix}`)
      : name === metric.name,
  );
}

const labelsAllowed = (name: string, { labels }: MetricDefinition): readonly string[] => [
  ...labels,
  ...OF_PROMETHEUS,
  ...(name.endsWith('_bucket') ? ['le'] : []),
];

/** What is wrong with a mention of a metric; empty when nothing is. */
function faultsOf(mention: Mention): readonly string[] {
  const found = definitionOf(mention.metric);
  if (found === undefined) return [`${mention.metric} is no metric of the vocabulary`];
  const [key, metric] = found;
  const unknown = mention.labels.filter((label) => !labelsAllowed(mention.metric, metric).includes(label));
  const faults = unknown.map((label) => `${mention.metric} has no label ${label}`);
  if (!PER_PROCESS.has(key)) {
    if (mention.aggregations[0] !== 'max')
      faults.push(`${mention.metric} is said by every process: take the max`);
    return faults;
  }
  if (mention.aggregations.length === 0) faults.push(`${mention.metric} is of one process: aggregate it`);
  if (metric.type === 'gauge') return faults;
  const [inner] = mention.functions;
  const windows = inner === 'rate' ? ['$__rate_interval'] : ['$__rate_interval', '$__range'];
  if (inner !== 'rate' && inner !== 'increase') faults.push(`${mention.metric} starts at 0 with its process`);
  else if (!windows.includes(mention.window ?? '')) faults.push(`the window of ${mention.metric} is fixed`);
  return faults;
}

describe('Expressions of the panels', () => {
  it('the dashboards have expressions to check', () => {
    expect(PROM_TARGETS.length).toBeGreaterThan(40);
  });

  it.each(PROM_TARGETS.map(({ name, target }) => [name, target.expr] as const))(
    'the expression of %s is valid PromQL on known series: %s',
    (_, expression) => {
      expect(syntaxErrors(expression)).toEqual([]);
      const mentions = mentionsIn(growthAsIncrease(expression));
      expect(mentions.length).toBeGreaterThan(0);
      expect(mentions.flatMap(faultsOf)).toEqual([]);
    },
  );

  it('rare events count from their first value on, which increase alone would miss', () => {
    const counting = PROM_TARGETS.filter(({ target }) => target.expr.includes('increase('));
    expect(counting.length).toBeGreaterThan(5);
    for (const { name, target } of counting)
      expect(growthAsIncrease(target.expr), name).not.toBe(target.expr);
  });

  it('legends use only labels that the result has', () => {
    for (const { name, target } of PROM_TARGETS) {
      const grouped = mentionsIn(target.expr).flatMap(({ labels }) => labels);
      for (const [, label] of target.legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(grouped, name).toContain(label);
    }
  });

  it('every metric of the recorder, of steps and of the state of runs is on a panel', () => {
    const used = new Set(
      PROM_TARGETS.flatMap(({ target }) => mentionsIn(target.expr)).map(
        ({ metric }) => definitionOf(metric)?.[0],
      ),
    );
    const unused = definitions.map(([key]) => key).filter((key) => !used.has(key));
    // Better shown as tables than as lines.
    const elsewhere = unused.filter(
      (key) => !/^miner|^validators$|^componentScores$|^runStatusSince$|^runInit$/.test(key),
    );
    expect(elsewhere).toEqual([]);
  });

  it('latency histograms are queried with exemplars, which lead to traces', () => {
    const dashboards = ['barograph-pipeline', 'barograph-recorder'];
    for (const uid of dashboards) {
      const withExemplars = PROM_TARGETS.filter(
        ({ dashboard, target }) => dashboard.uid === uid && target.exemplar === true,
      );
      expect(withExemplars.length).toBeGreaterThan(0);
      expect(withExemplars.filter(({ target }) => !target.expr.includes('_bucket'))).toEqual([]);
    }
  });
});

describe('Checker of the expressions', () => {
  it('invalid PromQL is found, and valid PromQL passes', () => {
    expect(syntaxErrors('sum by (step) (rate(barograph_steps_total[$__rate_interval]))')).toEqual([]);
    expect(syntaxErrors('sum by (step (rate(barograph_steps_total[5m]))')).not.toEqual([]);
  });

  it.each([
    ['sum (rate(barograph_stepz_total[$__rate_interval]))', 'is no metric'],
    ['sum by (lead) (rate(barograph_steps_total[$__rate_interval]))', 'has no label lead'],
    ['sum (rate(barograph_steps_total{lead="24"}[$__rate_interval]))', 'has no label lead'],
    ['sum (barograph_steps_total)', 'starts at 0'],
    ['sum (rate(barograph_steps_total[5m]))', 'is fixed'],
    ['rate(barograph_steps_total[$__rate_interval])', 'aggregate it'],
    ['sum (barograph_retries_scheduled)', 'take the max'],
    [
      'sum (((barograph_steps_total unless last_over_time(barograph_steps_total[5m] offset 1h)) or increase(barograph_steps_total[$__range])))',
      'starts at 0',
    ],
  ])('the fault in %s is found', (expression, fault) => {
    expect(mentionsIn(growthAsIncrease(expression)).flatMap(faultsOf).join()).toContain(fault);
  });
});
