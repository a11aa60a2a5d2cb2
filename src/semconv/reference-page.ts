import type { AttributeDefinition } from './attribute-definition.ts';
import { ATTRIBUTES, COMPONENT_SCORE_ATTRIBUTES, DECISION_ATTRIBUTES } from './attributes.ts';
import { ERROR_CATEGORIES, FAULT_OF } from './error-categories.ts';
import { WEATHER_SCHEMA } from './instrumentation-scope.ts';
import { PIPELINE_ALIASES, type PipelineResult, RESULT_OF_RUN, RESULT_OF_STEP } from './pipeline-aliases.ts';
import { TRANSPORT_OF } from './transport-outcome.ts';
import { UNEMITTED_VALUES } from './unemitted-values.ts';
import {
  EVENTS,
  DECISIONS,
  ERA5_LEAD_HOURS,
  FIELD_CHECKS,
  FORECAST_STATUSES,
  HOSTING_STATUSES,
  LOG_LEVELS,
  PRESSURE_LEVELS_HPA,
  RESPONSE_STATUSES,
  RUN_STATUSES,
  SCORE_TYPES,
  STAGE_STATUSES,
  STAGES,
  STEP_NAMES,
  STEP_STATUSES,
  SUBSTEPS,
  TRANSPORT_OUTCOMES,
  VARIABLES,
} from './vocabulary.ts';

/** Escapes the text of a Markdown table cell: `|` would end it. */
export const cell = (text: string): string => text.replaceAll('|', '\\|');

export const code = (text: string | number): string => `\`${cell(String(text))}\``;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

const CLOSED_SETS: readonly (readonly [
  title: string,
  values: readonly (string | number)[],
  attribute?: keyof typeof UNEMITTED_VALUES,
])[] = [
  ['Steps', STEP_NAMES],
  ['Step statuses', STEP_STATUSES, 'weather.step.status'],
  ['Stages, without their number', STAGES],
  ['Statuses within a stage', STAGE_STATUSES, 'weather.stage.status'],
  ['Forecast statuses', FORECAST_STATUSES, 'weather.forecast.status'],
  ['Run statuses', RUN_STATUSES],
  ['Response statuses', RESPONSE_STATUSES, 'weather.response.status'],
  ['Hosting statuses', HOSTING_STATUSES],
  ['Transport outcomes', TRANSPORT_OUTCOMES],
  ['Score types', SCORE_TYPES],
  ['Checks of a field', FIELD_CHECKS],
  ['Decisions', DECISIONS],
  ['Levels of a decision', LOG_LEVELS],
  ['Variables', VARIABLES],
  ['Pressure levels, hPa', PRESSURE_LEVELS_HPA],
  ['Leads scored against ERA5, hours', ERA5_LEAD_HOURS],
];

function attributeTable(attributes: Readonly<Record<string, AttributeDefinition>>): string {
  const rows = Object.entries(attributes).map(([name, { type, unit, cardinality, example, brief }]) => [
    code(name),
    cell(type),
    unit === '' ? '' : code(unit),
    cardinality,
    code(example),
    cell(brief),
  ]);
  return table(['Name', 'Type', 'Unit', 'Cardinality', 'Example', 'Meaning'], rows);
}

const INTRODUCTION = `# Attributes

Generated from \`src/semconv\` by \`npm run generate\`; change it there.

A span with the attribute \`weather.step.name\` is a step, and these attributes and events of it become rows and metrics.
A value outside its closed set is rejected, never replaced. A text is read where a number, a flag or an instant is wanted, and counted in
\`facts -> 'adjustments'\` of the step: decimal numbers and \`nan\`, \`True\`, \`np.float32(1.5)\`, instants in the forms of ISO 8601 (an offset is needed; only
numpy's datetime64 in nanoseconds is UTC without). Cardinality is the number of different values:
\`closed\` and \`low\` may become metric labels, \`high\` never does. What fills each column of the tables stands
[at the end](#columns-and-what-fills-them).

For machines the same is in [vocabulary/weather-${WEATHER_SCHEMA.version}.json](vocabulary/weather-${WEATHER_SCHEMA.version}.json), in the shape of OpenTelemetry's
registry, with what a span must have; for Python in \`python/barograph_vocabulary.py\`, one file without dependencies. Its version follows semver: a
patch corrects texts, a minor adds attributes and values or widens what is allowed, a major breaks senders. The schema URL
\`${WEATHER_SCHEMA.url}\` names it.`;

const EVENT_TEXTS: Readonly<Record<keyof typeof EVENTS, string>> = {
  componentScore:
    'The scores of one variable on one level, or the check that it failed; the attributes are below',
  retryScheduled: 'A retry of the step is scheduled at `weather.retry.next_time`',
  decision: 'One decision of the orchestrator; the attributes are below',
  exception: 'The error of the step, by the conventions of OpenTelemetry, scrubbed of secrets',
};

const SAME_MEANING = `## The same in the conventions for pipelines

OpenTelemetry's \`cicd.*\` are made for builds and still experimental, so no span carries them. For tools that need them,
rename in a Collector. A poll whose miner still infers has the status \`retry_scheduled\` without being a failure.`;

function resultTable(attribute: string, results: Readonly<Record<string, PipelineResult | null>>): string {
  const rows = Object.entries(results).map(([status, result]) => [
    code(status),
    result === null ? '' : code(result),
  ]);
  return table([code(attribute), 'Result'], rows);
}

function aliasSection(): string {
  const rows = PIPELINE_ALIASES.map(({ convention, attribute, brief }) => [
    code(convention),
    attribute === null ? '' : code(attribute),
    brief,
  ]);
  return [
    SAME_MEANING,
    table(['Convention', 'Here', 'Meaning'], rows),
    resultTable('weather.step.status', RESULT_OF_STEP),
    resultTable('weather.run.status', RESULT_OF_RUN),
  ].join('\n\n');
}

const TRANSPORT = `## Error categories

The transport of a call and the content of the reply are two facts: a polite rejection is a hosting success. An ended
\`communication\` step without \`weather.response.transport\` counts by this rule in \`hosting_successes\`,
\`hosting_failures\`, \`avg_hosting_latency_ms\` and \`last_active\`: a \`success\` if it succeeded, else what its
category says here, and neither where nothing stands. A synthetic end counts as neither.

A step of the run itself calls no miner: where the table says \`miner\`, its error is the fault of \`upstream\`, and so is that
of a forecast that ends with its run.`;

function categorySection(): string {
  const rows = ERROR_CATEGORIES.map((category) => {
    const transport = TRANSPORT_OF[category];
    return [code(category), FAULT_OF[category], transport === null ? '' : code(transport)];
  });
  return [TRANSPORT, table(['Category', 'Who is at fault', 'Transport of the call'], rows)].join('\n\n');
}

function closedSet([title, values, attribute]: (typeof CLOSED_SETS)[number]): string {
  const unemitted: Readonly<Record<string, string>> =
    attribute === undefined ? {} : UNEMITTED_VALUES[attribute];
  const reasons = Object.entries(unemitted).map(([value, reason]) => `- ${code(value)}: ${reason}.`);
  const list = `### ${title}\n\n${values.map(code).join(' ')}`;
  return reasons.length === 0
    ? list
    : [list, 'No step of the own pipeline sets:', reasons.join('\n')].join('\n\n');
}

/** The reference page of all attributes, events and closed sets, as Markdown. */
export function renderReferencePage(): string {
  const eventRows = (Object.keys(EVENTS) as (keyof typeof EVENTS)[]).map((key) => [
    code(EVENTS[key]),
    EVENT_TEXTS[key],
  ]);
  const substepRows = STEP_NAMES.map((step) => [code(step), SUBSTEPS[step].map(code).join(' ')]);
  const sections = [
    INTRODUCTION,
    `## Attributes of a span\n\n${attributeTable(ATTRIBUTES)}`,
    `## Events\n\n${table(['Name', 'Meaning'], eventRows)}`,
    `## Attributes of \`${EVENTS.componentScore}\`\n\n${attributeTable(COMPONENT_SCORE_ATTRIBUTES)}`,
    `## Attributes of \`${EVENTS.decision}\`\n\n${attributeTable(DECISION_ATTRIBUTES)}`,
    `## Substeps\n\n\`attempt\` stands for \`attempt_{n}\`, n counted from 1.\n\n${table(['Step', 'Substeps'], substepRows)}`,
    aliasSection(),
    categorySection(),
    '## Closed sets',
    ...CLOSED_SETS.map(closedSet),
  ];
  return `${sections.join('\n\n')}\n`;
}
