import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ATTRIBUTES,
  COMPONENT_SCORE_ATTRIBUTES,
  DECISION_ATTRIBUTES,
  ERROR_CATEGORIES,
  EVENTS,
  FAULT_PARTIES,
  FORECAST_STATUSES,
  LOG_LEVELS,
  RESPONSE_STATUSES,
  RUN_STATUSES,
  STAGE_STATUSES,
  STAGES,
  STEP_NAMES,
  STEP_STATUSES,
  SUBSTEPS,
} from '#semconv';
import { METRICS } from '#semconv/metrics';
import * as door from '#src/index';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { SEED_DOCUMENT } from '#test/support/seed-document';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'from-the-seed.md'), 'utf8');
const BLOCK = /^```(\w*)\n([^]*?)^```$/gm;
const PROSE = PAGE.replaceAll(BLOCK, '');

/** A line of a table of the page: the words of the seed document, and what Barograph has for them. */
interface Line {
  /** The headings above it, joined. */
  readonly under: string;
  readonly seed: string;
  readonly ours: string;
}

const isTableLine = (line: string): boolean =>
  line.startsWith('| ') && !line.startsWith('| the seed document');

function linesOf(prose: string): readonly Line[] {
  const lines: Line[] = [];
  let under = '';
  for (const line of prose.split('\n')) {
    if (line.startsWith('#')) under = line;
    if (!isTableLine(line)) continue;
    const [seed = '', ...ours] = line.split('|').slice(1, -1);
    lines.push({ under, seed: seed.trim(), ours: ours.join(' ').trim() });
  }
  return lines;
}

const LINES = linesOf(PROSE);
const HEADINGS = PROSE.split('\n').filter((line) => line.startsWith('#'));
const CHECKED = LINES.filter(({ under }) => !under.includes('Deliberate differences'));

const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
/** Whether a line has a word of the seed document on its left side, after a kind such as `stage`. */
const hasLine = (kind: string, code: string): boolean =>
  CHECKED.some(({ seed }) => new RegExp(`\\b${kind} \``).test(seed) && codesIn(seed).includes(code));

const COLUMNS_OF_SEED = Object.entries(SEED_DOCUMENT.columns).flatMap(([table, columns]) =>
  columns.map((column) => [table, column] as const),
);

describe('the page about the seed document', () => {
  it.each(SEED_DOCUMENT.sections)('the section %s has a heading', (section) => {
    expect(HEADINGS.filter((heading) => heading.includes(section))).toHaveLength(1);
  });

  it.each(Object.keys(SEED_DOCUMENT.columns))('the table %s has a heading', (table) => {
    expect(HEADINGS.filter((heading) => codesIn(heading).includes(table))).toHaveLength(1);
  });

  it.each(COLUMNS_OF_SEED)('of the table %s the column %s has a line', (table, column) => {
    const found = CHECKED.filter(
      ({ under, seed }) =>
        codesIn(under).includes(table) &&
        (codesIn(seed).includes(`${table}.${column}`) || codesIn(seed).includes(column)),
    );
    expect(found).not.toEqual([]);
  });

  it.each(SEED_DOCUMENT.functions)('the function %s has a line', (name) => {
    expect(CHECKED.filter(({ seed }) => seed.startsWith(`\`${name}\``))).toHaveLength(1);
  });

  it.each([
    ...SEED_DOCUMENT.stages.map((stage) => ['stage', stage] as const),
    ...SEED_DOCUMENT.statuses.map((status) => ['status', status] as const),
    ...SEED_DOCUMENT.substeps.map((substep) => ['substep', substep] as const),
  ])('the %s %s has a line', (kind, name) => {
    expect(hasLine(kind, name)).toBe(true);
  });

  it.each(SEED_DOCUMENT.steps)('the step %s has a line', (step) => {
    expect(CHECKED.filter(({ ours }) => ours.includes(`the step \`${step}\``))).not.toEqual([]);
  });

  it.each([...SEED_DOCUMENT.priorities, ...SEED_DOCUMENT.checklist, ...SEED_DOCUMENT.purposes])(
    'the words "%s" have a line',
    (words) => {
      expect(
        CHECKED.filter(({ seed }) => seed.replaceAll('**', '').split('; ').includes(words)),
      ).toHaveLength(1);
    },
  );

  it('every line of the testing checklist is the name of a test', () => {
    const tests = readFileSync(join(ROOT, 'test/exporters/postgres/seed-checklist.test.ts'), 'utf8');
    expect(SEED_DOCUMENT.checklist.filter((line) => !tests.includes(`it('${line}'`))).toEqual([]);
  });
});

/** What Barograph has beside tables: attributes, events, metrics, steps and the words of its closed sets. */
const VOCABULARY: ReadonlySet<string> = new Set([
  ...Object.keys(ATTRIBUTES),
  ...Object.keys(COMPONENT_SCORE_ATTRIBUTES),
  ...Object.keys(DECISION_ATTRIBUTES),
  ...Object.values(EVENTS),
  ...Object.values(METRICS).map(({ name }) => name),
  ...STEP_NAMES,
  ...Object.values(SUBSTEPS).flat(),
  ...[STEP_STATUSES, STAGES, STAGE_STATUSES, FORECAST_STATUSES, RUN_STATUSES, RESPONSE_STATUSES].flat(),
  ...[ERROR_CATEGORIES, FAULT_PARTIES, LOG_LEVELS].flat(),
  ...Object.keys(door),
]);

interface Panels {
  readonly panels?: readonly (Panels & { readonly title?: string })[];
}
const titlesOf = (panels: Panels['panels'] = []): readonly string[] =>
  panels.flatMap(({ title = '', panels: inner }) => [title, ...titlesOf(inner)]);

/** Titles of panels by dashboard: `Run › Retries to come`. */
const PANELS: ReadonlySet<string> = new Set(
  readdirSync(join(ROOT, 'dashboards/generated'))
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(join(ROOT, 'dashboards/generated', name), 'utf8')) as Panels;
      const dashboard = name.replace('.json', '');
      return titlesOf(panels).map((title) => `${dashboard}: ${title}`);
    }),
);

const database = useTestDatabase();

describe('what the page says that Barograph has', () => {
  const stored = new Set<string>();
  beforeAll(async () => {
    const columns = await queryRows<{ table_name: string; column_name: string }>(
      database.pool,
      `select table_name, column_name from information_schema.columns where table_schema = 'public'`,
    );
    for (const { table_name, column_name } of columns) {
      stored.add(table_name).add(column_name).add(`${table_name}.${column_name}`);
    }
  });

  /** Prefixes such as `barograph_miner_*`, commands, and paths, which the test of all documents checks. */
  const isKnown = (code: string): boolean =>
    stored.has(code) ||
    VOCABULARY.has(code.replace(/^@/, '')) ||
    (code.endsWith('*') && [...VOCABULARY].some((name) => name.startsWith(code.slice(0, -1)))) ||
    /^(barograph \w+|npm start|[\w/.-]+\.(ts|md)$)/.test(code);

  it('every table, column, view, attribute, event, metric, step and word on the right side exists', () => {
    const ours = LINES.flatMap((line) => codesIn(line.ours));
    expect(ours.length).toBeGreaterThan(150);
    expect(ours.filter((code) => !isKnown(code))).toEqual([]);
  });

  it('what stands after "metric", "view", "event" and "the step" is one', async () => {
    const views = await queryRows<{ name: string }>(
      database.pool,
      `select viewname as name from pg_views where schemaname = 'public'`,
    );
    const KINDS: Readonly<Record<string, readonly string[]>> = {
      view: views.map(({ name }) => name),
      metrics: Object.values(METRICS).map(({ name }) => name),
      metric: Object.values(METRICS).map(({ name }) => name),
      event: Object.values(EVENTS),
      'the step': STEP_NAMES,
      'the steps': STEP_NAMES,
      substep: Object.values(SUBSTEPS).flat(),
    };
    const ours = LINES.map((line) => line.ours).join('\n');
    for (const [kind, names] of Object.entries(KINDS)) {
      const named = [...ours.matchAll(new RegExp(`\\b${kind} \`([^\`]+)\``, 'g'))].map(
        ([, name = '']) => name,
      );
      expect(named, kind).not.toEqual([]);
      expect(
        named.filter((name) => !names.includes(name)),
        kind,
      ).toEqual([]);
    }
  });

  it('every panel exists on the dashboard that is named with it', () => {
    const panels = [...PROSE.matchAll(/\*(\w+) › ([^*]+)\*/g)].map(
      ([, dashboard = '', title = '']) => `${dashboard.toLowerCase()}: ${title}`,
    );
    expect(panels.length).toBeGreaterThan(6);
    expect(panels.filter((panel) => !PANELS.has(panel))).toEqual([]);
  });

  const blocks = [...PAGE.matchAll(BLOCK)].map(([, language, code = '']) => ({ language, code }));
  const statements = blocks.flatMap(({ language, code }) =>
    language === 'sql' ? code.split(/;\n/).filter((sql) => sql.trim() !== '') : [],
  );

  it.each(statements)('this statement runs on a migrated database: %s', async (sql) => {
    await expect(database.pool.query(sql)).resolves.toBeDefined();
  });

  it('every block of statements is followed by its output, whose columns are those of the statements', async () => {
    expect(statements.length).toBeGreaterThan(8);
    for (const [index, { language, code }] of blocks.entries()) {
      if (language !== 'sql') continue;
      const output = blocks[index + 1]?.code.split('\n') ?? [];
      const shown = output.filter((_, line) => /^[-+]+$/.test(output[line + 1] ?? ''));
      const columns = [];
      for (const sql of code.split(/;\n/).filter((text) => text.trim() !== '')) {
        const { fields } = await database.pool.query(sql);
        columns.push(fields.map(({ name }) => name));
      }
      expect(shown.map((line) => line.split('|').map((name) => name.trim()))).toEqual(columns);
    }
  });
});
