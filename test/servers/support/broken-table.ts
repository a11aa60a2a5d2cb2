import { ALERTS } from '#dashboards/rules/alerts';
import { durationMillis, type Duration } from '#dashboards/rules/duration';

/** One thing that was broken, and what was seen of it. */
export interface BrokenRow {
  readonly broken: string;
  readonly alert: string;
  /** The alert that fired before it, where one had to. */
  readonly before?: string;
  /** The limit of the alert's expression, seconds of production; 0 where it has none. */
  readonly limitSeconds: number;
  readonly panel: string;
  /** The command that names the cause. */
  readonly command: string;
  readonly sentence: string;
}

const HEAD = `# Broken on purpose

Written by \`BAROGRAPH_WRITE_DOCS=1 npm run test:servers -- test/servers/broken-on-purpose.test.ts\`; do not edit.

Each row is a run of the pipeline on a small world with simulated miners, in which one thing was broken on purpose. The run
was recorded in PostgreSQL and scraped by Prometheus, which held the rules of \`dashboards/generated\` at the pace of the
run. The alert is the only one that fired from the start of the run until its end, unless one before it is
named; the panel is one of those whose query
gave the culprit while it fired; the sentence is what the command printed at that moment, with \`<…>\` for what changes
from run to run. How soon an alert fires is told in time of production.

`;

/** The rows as a table of Markdown. */
export function renderTable(rows: readonly BrokenRow[]): string {
  const lines = rows.map(({ broken, alert, before, limitSeconds, panel, command, sentence }) => [
    broken,
    `\`${alert}\` (${severityOf(alert)}, ${afterOf(alert, limitSeconds)})${before === undefined ? '' : `; before it \`${before}\``}`,
    panel,
    `\`${command}\`: “${escaped(sentence)}”`,
  ]);
  const head = [
    'What was broken',
    'Alert that fired',
    'Panel that shows it',
    'Sentence that names the cause',
  ];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

export const renderPage = (rows: readonly BrokenRow[]): string => HEAD + renderTable(rows);

/** A line without what changes from run to run. */
export const withoutChance = (line: string): string =>
  line
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, '<id>')
    .replaceAll(/\b5[1-9A-HJ-NP-Za-km-z]{47}\b/g, '<hotkey>')
    .replaceAll(/\b\d+ s\b/g, '<seconds> s')
    .replaceAll(/\battempt \d+ of/g, 'attempt <n> of');

const ruleOf = (alert: string) => {
  const rule = ALERTS.find((candidate) => candidate.alert === alert);
  if (rule === undefined) throw new Error(`There is no alert ${alert}.`);
  return rule;
};

const severityOf = (alert: string): string => ruleOf(alert).severity;

function afterOf(alert: string, limitSeconds: number): string {
  const minutes = limitSeconds / 60 + durationMillis(ruleOf(alert).for as Duration) / 60_000;
  if (minutes === 0) return 'at once';
  const hours = Math.floor(minutes / 60);
  const rest = minutes - 60 * hours;
  return `after ${[...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 ? [`${rest} min`] : [])].join(' ')}`;
}

const escaped = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
