import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GENERATED_FILES, staleFiles, writeGeneratedFiles } from '#scripts/generate';
import {
  ATTRIBUTES,
  COMPONENT_SCORE_ATTRIBUTES,
  DECISION_ATTRIBUTES,
  ERROR_CATEGORIES,
  EVENTS,
  FAULT_OF,
  RESPONSE_STATUSES,
  STAGES,
} from '#semconv';
import { renderReferencePage } from '#semconv/reference-page';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the reference page', () => {
  const page = renderReferencePage();

  it('the reference page has a row for every attribute and event, so that none is undocumented', () => {
    const names = [ATTRIBUTES, COMPONENT_SCORE_ATTRIBUTES, DECISION_ATTRIBUTES].flatMap((set) =>
      Object.keys(set),
    );
    for (const name of [...names, ...Object.values(EVENTS)]) expect(page).toContain(`| \`${name}\` |`);
  });

  it('the reference page names the party at fault of every error category', () => {
    for (const category of ERROR_CATEGORIES) {
      expect(page).toContain(`| \`${category}\` | ${FAULT_OF[category]} |`);
    }
  });

  it('the reference page lists every value of the closed sets', () => {
    for (const value of [...STAGES, ...RESPONSE_STATUSES]) expect(page).toContain(`\`${value}\``);
  });

  it('the reference page has tables whose rows are all as wide as their heads', () => {
    for (const block of page.split('\n\n').filter((text) => text.startsWith('|'))) {
      const widths = block
        .trim()
        .split('\n')
        .map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });
});

describe('generated files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'generated-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('generated files are checked in as the program writes them; "npm run generate" makes them so', async () => {
    expect(await staleFiles(ROOT)).toEqual([]);
  });

  it('generated files count as stale when they are missing or differ, and as fresh when written', async () => {
    const files = [
      { path: 'a/one.md', render: () => 'one' },
      { path: 'two.md', render: () => Promise.resolve('two') },
    ];
    expect(await staleFiles(folder, files)).toEqual(['a/one.md', 'two.md']);
    await writeGeneratedFiles(folder, files);
    expect(await readFile(join(folder, 'a/one.md'), 'utf8')).toBe('one');
    await writeFile(join(folder, 'two.md'), 'edited by hand');
    expect(await staleFiles(folder, files)).toEqual(['two.md']);
  });

  it('generated files have paths that are all different', () => {
    const paths = GENERATED_FILES.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
