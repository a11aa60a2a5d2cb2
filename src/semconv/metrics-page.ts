import { cell, code, table } from './reference-page.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { METRIC_LABELS, OVERFLOW, type LabelDefinition } from './metric-labels.ts';
import { METRIC_GROUPS } from './metrics.ts';

const INTRODUCTION = `# Metrics

Generated from \`src/semconv\` by \`npm run generate\`; change it there.

A process that records shows these at \`/metrics\`. The metrics of miners and of the pipeline mirror tables, so that every
process that records with the same database shows the same: a query takes their maximum,
\`max without (instance, job) (…)\`. Steps and the recorder are counted by each process for itself: a query adds them up.
Instants are seconds since 1970.`;

const GROUP_TEXTS: Readonly<Record<keyof typeof METRIC_GROUPS, readonly [title: string, text: string]>> = {
  miners: ['Miners', 'The rows of `miner_stats` as last committed; a null has no series.'],
  steps: ['Steps', 'What the process recorded since it was started.'],
  pipeline: [
    'Pipeline',
    'State of the pipeline, read from the tables every 5 seconds, less often when the read is slow. When it has failed ' +
      'for a minute, all of it is absent but the instant of the last read. Where there is nothing to count, counts by ' +
      'step or reason are 0 and instants are absent.',
  ],
  recorder: ['Recorder', 'Health of the recording process itself.'],
};

function metricTable(metrics: Readonly<Record<string, MetricDefinition>>): string {
  const rows = Object.values(metrics).map(({ name, type, unit, labels, help }) => [
    code(name),
    type,
    unit === '1' ? '' : unit,
    labels.map(code).join(' '),
    cell(help),
  ]);
  return table(['Name', 'Type', 'Unit', 'Labels', 'Meaning'], rows);
}

const OPEN_SETS = { identity: 'an identity', name: 'a name' } as const;

function labelTable(labels: Readonly<Record<string, LabelDefinition>>): string {
  const rows = Object.entries(labels).map(([name, { brief, values }]) => [
    code(name),
    cell(brief),
    typeof values === 'string' ? OPEN_SETS[values] : values.map(code).join(' '),
  ]);
  return table(['Name', 'Meaning', 'Values'], rows);
}

/** The reference page of all metrics and labels, as Markdown. */
export function renderMetricsPage(): string {
  const groups = Object.keys(METRIC_GROUPS) as (keyof typeof METRIC_GROUPS)[];
  const sections = [
    INTRODUCTION,
    ...groups.map((group) => {
      const [title, text] = GROUP_TEXTS[group];
      return `## ${title}\n\n${text}\n\n${metricTable(METRIC_GROUPS[group])}`;
    }),
    `## Labels\n\nIdentities and names have a series budget; ${code(OVERFLOW)} stands for what is beyond it.\n\n` +
      labelTable(METRIC_LABELS),
  ];
  return `${sections.join('\n\n')}\n`;
}
