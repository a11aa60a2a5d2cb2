import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createResolver } from '#scripts/structure/import-graph';
import type { Measure } from '#scripts/structure/measure';
import { measure } from '#scripts/structure/measures';
import { judge, tighten, type Limits } from '#scripts/structure/ratchet';
import { describeFailures, renderComparison, renderTable } from '#scripts/structure/report';
import { retiredNames } from '#scripts/structure/retired-uses';
import { parseFile, parseTree } from '#scripts/structure/source-tree';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/check-structure.ts');

type Files = Readonly<Record<string, string>>;

const lines = (count: number, line = 'void 0;'): string => `${line}\n`.repeat(count);

const PACKAGE = {
  exports: { '.': { types: './dist/src/index.d.ts', default: './dist/src/index.js' } },
  imports: { '#wind/*': './src/wind/*.ts' },
  bin: {},
};

/** A tree of two rooms and a door, with a test, in which most figures are 0. */
const TREE: Files = {
  'src/index.ts': `export { gust } from './wind/gust.ts';\nexport { rain } from './rain/rain.ts';\n`,
  'src/wind/gust.ts': `/** The strongest gust. */\nexport const gust = 1;\n${lines(40)}`,
  'src/rain/rain.ts': `import { gust } from '#wind/gust';\n/** Rain. */\nexport const rain = gust;\n${lines(40)}`,
  'test/rain/rain.test.ts': `import { rain } from '#rain/rain';\nvoid rain;\n`,
};

const measured = (files: Files): ReadonlyMap<string, Measure> =>
  new Map(measure(parseTree(new Map(Object.entries(files)), PACKAGE)).map((each) => [each.key, each]));

const calm = measured(TREE);
const limits: Limits = {
  ratchet: Object.fromEntries([...calm.values()].map((it) => [it.key, it.value])),
  budget: {},
};

/** For each figure, files that make it worse, and what the message has to name. */
const WORSE: readonly (readonly [key: string, files: Files, named: string])[] = [
  ['largestFolder', { 'src/wind/b.ts': lines(40), 'src/wind/c.ts': lines(40) }, ''],
  [
    'fullFolders',
    Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`src/wind/${index}.ts`, ''])),
    'src/wind: 14',
  ],
  [
    'oneImporter',
    { 'src/wind/b.ts': `import './c.ts';`, 'src/wind/c.ts': '' },
    'src/wind/c.ts ← src/wind/b.ts',
  ],
  ['smallFiles', { 'src/wind/b.ts': lines(30) }, 'src/wind/b.ts: 30 lines'],
  [
    'oneImporterOfDashboards',
    { 'dashboards/b.ts': `import './c.ts';`, 'dashboards/c.ts': '' },
    'dashboards/c.ts ← dashboards/b.ts',
  ],
  ['smallFilesOfDashboards', { 'dashboards/b.ts': lines(30) }, 'dashboards/b.ts: 30 lines'],
  ['unusedExports', { 'src/wind/b.ts': 'export const lull = 1;\nvoid lull;' }, 'src/wind/b.ts#lull'],
  [
    'testOnlyExports',
    { 'src/wind/b.ts': 'export const lull = 1;', 'test/wind/b.test.ts': `import { lull } from '#wind/b';` },
    'src/wind/b.ts#lull',
  ],
  [
    'importCycles',
    { 'src/wind/b.ts': `import './c.ts';`, 'src/wind/c.ts': `import '#wind/b';` },
    'src/wind/b.ts → ',
  ],
  ['climbingImports', { 'bench/a/b.ts': `import '../../src/index.ts';` }, 'bench/a/b.ts: ../../src/index.ts'],
  ['roomsHouse', { 'src/b.ts': '' }, 'src/b.ts'],
  ['arrowsHouse', { 'src/wind/b.ts': `import '../rain/rain.ts';` }, 'src/wind → src/rain'],
  ['roomsPostgres', { 'exporters/postgres/b.ts': '' }, 'exporters/postgres/b.ts'],
  [
    'arrowsPostgres',
    { 'exporters/postgres/b.ts': `import './sql/c.ts';`, 'exporters/postgres/sql/c.ts': '' },
    'exporters/postgres/b.ts → exporters/postgres/sql',
  ],
  ['roomsPipeline', { 'src/pipeline/b.ts': '' }, 'src/pipeline/b.ts'],
  [
    'arrowsPipeline',
    { 'src/pipeline/b.ts': `import './c.ts';`, 'src/pipeline/c.ts': '' },
    'src/pipeline/b.ts → src/pipeline/c.ts',
  ],
  ['folders', { 'src/hail/b.ts': '' }, 'src/hail'],
  ['folderArrows', { 'src/wind/b.ts': `import '../rain/rain.ts';` }, 'src/wind → src/rain'],
  ['retiredNames', { 'src/wind/b.ts': 'const told = 1;' }, 'src/wind/b.ts:1 told → '],
  ['retiredFileNames', { 'src/wind/quietly.ts': '' }, 'src/wind/quietly.ts → ignoreErrors'],
  ['retiredNamesOfSurroundings', { 'test/b.test.ts': '\nconst said = 1;' }, 'test/b.test.ts:2 said → '],
  ['retiredFileNamesOfSurroundings', { 'test/quietly.test.ts': '' }, 'test/quietly.test.ts → ignoreErrors'],
  ['fileMedian', { 'src/wind/b.ts': lines(50), 'src/wind/c.ts': lines(51) }, 'src/wind/c.ts: 51 lines'],
  ['fileP90', { 'src/wind/b.ts': lines(99) }, 'src/wind/b.ts: 99 lines'],
  ['fileMax', { 'src/wind/b.ts': lines(99) }, 'src/wind/b.ts: 99 lines'],
  ['functionMedian', { 'src/wind/b.ts': `function blow() {\n${lines(7)}}` }, 'src/wind/b.ts:1 blow: 9 lines'],
  [
    'functionP90',
    { 'src/wind/b.ts': `const blow = () => {\n${lines(7)}};` },
    'src/wind/b.ts:1 blow: 9 lines',
  ],
  ['functionMax', { 'src/wind/b.ts': `class A { blow() {\n${lines(7)}} }` }, 'src/wind/b.ts:1 blow: 9 lines'],
  ['commentShare', { 'src/wind/b.ts': lines(40, '// why') }, ''],
  ['anyTypes', { 'src/wind/b.ts': 'let a: any;' }, 'src/wind/b.ts:1'],
  ['nonNullAssertions', { 'src/wind/b.ts': 'void process.title!;' }, 'src/wind/b.ts:1'],
];

describe('ratchet of figures', () => {
  it('every figure has a case in this file', () => {
    expect(WORSE.map(([key]) => key).sort()).toEqual([...calm.keys()].sort());
  });

  it.each(WORSE)('a worse %s fails with the place and the remedy', (key, files, named) => {
    const after = measured({ ...TREE, ...files }).get(key);
    if (after === undefined) throw new Error(`nothing measures ${key}`);
    expect(after.value).toBeGreaterThan(calm.get(key)?.value ?? Infinity);
    const [message = ''] = describeFailures([after], limits);
    expect(message).toContain(`${after.title}: ${after.value}; allowed: ${calm.get(key)?.value ?? ''}.`);
    expect(message).toContain(named);
    expect(message).toContain(after.advice);
  });

  it('an unchanged or better tree passes', () => {
    expect(describeFailures([...calm.values()], limits)).toEqual([]);
    const emptied = measured({});
    expect(describeFailures([...emptied.values()], limits)).toEqual([]);
  });

  const figure = (value: number, key = 'importCycles'): Measure => ({
    ...{ key, title: 'cycles', value, findings: [], advice: 'Cut it.' },
  });

  it('storing lowers better figures and adds new ones, and never raises a limit', () => {
    const before: Limits = { ratchet: { a: 3, b: 3 }, budget: { c: { max: 9 } } };
    const after = tighten([figure(2, 'a'), figure(4, 'b'), figure(1, 'c'), figure(5, 'd')], before);
    expect(after).toEqual({ ratchet: { a: 2, b: 3, d: 5 }, budget: { c: { max: 9 } } });
  });

  it('a budgeted figure may move within its range only', () => {
    const budget: Limits = { ratchet: {}, budget: { importCycles: { min: 2, max: 4 } } };
    const verdicts = [1, 2, 4, 5].map((value) => judge(figure(value), budget));
    expect(verdicts).toEqual(['worse', 'kept', 'kept', 'worse']);
    expect(describeFailures([figure(5)], budget)).toEqual(['cycles: 5; allowed: 2 to 4.\nCut it.']);
  });

  it('a figure without a limit fails, so that none is added without one', () => {
    expect(describeFailures([figure(0)], { ratchet: {}, budget: {} })).toHaveLength(1);
  });
});

describe('table of figures', () => {
  const figures = [...calm.values()];

  it('the table fits 80 columns in the order of the figures', () => {
    const rows = renderTable(figures, limits, 'columns').split('\n');
    expect(rows).toHaveLength(figures.length + 1);
    expect(rows.filter((row) => row.length > 80)).toEqual([]);
    expect(rows.slice(1).map((row) => row.slice(0, 10))).toEqual(figures.map((it) => it.title.slice(0, 10)));
  });

  it('two trees are compared side by side in Markdown', () => {
    const after = [...measured({ ...TREE, 'src/wind/b.ts': 'let a: any;' }).values()];
    expect(renderComparison(figures, after, 'markdown')).toContain('| uses of the type any | 0 | 1 |');
  });
});

describe('unused exports', () => {
  const unused = (files: Files) => measured({ ...TREE, ...files }).get('unusedExports')?.findings;

  it('an export counts as used when a door reaches it, even through other files', () => {
    const door = `export * from './wind/inner.ts';`;
    const inner = { 'src/wind/inner.ts': `export { lull as calm } from './b.ts';` };
    const origin = { 'src/wind/b.ts': 'export const lull = 1, squall = 2;' };
    expect(unused({ 'src/index.ts': door, ...inner, ...origin })).toEqual([
      'src/rain/rain.ts#rain',
      'src/wind/b.ts#squall',
    ]);
  });

  it('a re-export alone does not count as a use', () => {
    const files = {
      'src/wind/inner.ts': `export { lull } from './b.ts';`,
      'src/wind/b.ts': 'export const lull = 1;',
    };
    expect(unused(files)).toEqual(['src/wind/inner.ts#lull', 'src/wind/b.ts#lull']);
  });

  it.each([
    `import { lull as calm } from '#wind/b';`,
    `import * as wind from './b.ts';`,
    `const { lull } = await import('./b.ts');`,
    `const wind = await import('./b.ts');`,
    `let a: typeof import('./b.ts').lull;`,
  ])('an export counts as used by %s', (text) => {
    expect(unused({ 'src/wind/b.ts': 'export const lull = 1;', 'src/wind/c.ts': text })).toEqual([]);
  });

  it('exported types that the signatures of their own file name count as used', () => {
    const signature = 'export interface Lull {}\nexport type Idle = 1;\nconst f = (a: Lull) => a;\nvoid f;';
    expect(unused({ 'src/wind/b.ts': signature })).toEqual(['src/wind/b.ts#Idle']);
  });
});

describe('retired names', () => {
  const found = (path: string, text: string) => retiredNames([parseFile(path, text)]).names;

  it('retired names are counted where they are declared, and nowhere else', () => {
    const declared = 'const told = 1; function bury(said: number) {} class Register { #estate = 1; }';
    expect(found('src/a.ts', declared)).toHaveLength(5);
    expect(found('src/a.ts', '// told\nconst a = "told"; a.told(); toldTwice;')).toEqual([]);
  });

  it('a name is retired only in the folders that its row lists', () => {
    const slots = 'const slots = 1;';
    expect(found('src/ingest/a.ts', slots)).toHaveLength(1);
    expect(found('test/ingest/a.test.ts', slots)).toHaveLength(1);
    expect(found('exporters/spool/open-steps.ts', slots)).toEqual([]);
    expect(found('exporters/spool/open-steps.ts', 'const places = 1;')).toHaveLength(1);
    expect(found('src/ingest/decode/protobuf-reader.ts', 'const take = 1;')).toEqual([]);
  });
});

describe('share of comments', () => {
  const share = (text: string) => measured({ 'src/a.ts': text }).get('commentShare')?.value;

  it('lines with a comment of either kind count, beside code too', () => {
    expect(share('// a\n/* b\n c */\nlet d; // e\n')).toBe(100);
    expect(share('let a;\n\nlet b;\n// c\n')).toBe(25);
  });

  it('comment marks within literals do not count', () => {
    expect(share('const a = "// b";\nconst c = `/* ${a} */`;\nconst d = /[/*]\\/*/;\n')).toBe(0);
  });
});

describe('createResolver', () => {
  const resolve = createResolver({
    '#facts/*': './src/facts/*.ts',
    '#facts/deep/*': { types: './dist/src/deep/*.d.ts', default: './dist/src/deep/*.js' },
    '#semconv': './src/semconv/index.ts',
    '#raw/*': './src/raw/*',
  });

  it.each([
    ['#facts/span', 'src/facts/span.ts'],
    ['#facts/inner/span', 'src/facts/inner/span.ts'],
    ['#facts/deep/span', 'src/deep/span.ts'],
    ['#semconv', 'src/semconv/index.ts'],
    ['#raw/span.ts', 'src/raw/span.ts'],
    ['#semconv/no', '#semconv/no'],
    ['../a.ts', 'src/a.ts'],
    ['zod', 'zod'],
  ])('the specifier %s resolves to %s', (specifier, path) => {
    expect(resolve('src/steps/step.ts', specifier)).toBe(path);
  });
});

describe('check-structure', () => {
  /** Writes the tree with its limits, and runs the command on it. */
  async function plant(ratchet: Limits['ratchet']) {
    const root = await temporaryFolder();
    const path = join(root, 'limits.json');
    const write = (name: string, content: string) => {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), content);
    };
    for (const [name, text] of Object.entries(TREE)) write(name, text);
    write('package.json', JSON.stringify(PACKAGE));
    write('limits.json', JSON.stringify({ ...limits, ratchet: { ...limits.ratchet, ...ratchet } }));
    const args = ['--import', 'tsx', SCRIPT, '--root', root, '--limits', path];
    const run = (...more: readonly string[]) =>
      spawnSync(process.execPath, [...args, ...more], { encoding: 'utf8' });
    return { run, stored: () => JSON.parse(readFileSync(path, 'utf8')) as Limits };
  }

  it('a worse figure fails and is not stored', async () => {
    const { run, stored } = await plant({ roomsHouse: 1 });
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain('rooms: src, exporters: 3; allowed: 1.');
    expect(run('--update').status).toBe(1);
    expect(stored().ratchet['roomsHouse']).toBe(1);
  });

  it('--update stores a better figure', async () => {
    const { run, stored } = await plant({ roomsHouse: 9 });
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(stored().ratchet['roomsHouse']).toBe(9);
    expect(run('--update').status).toBe(0);
    expect(stored()).toEqual(limits);
  });
});
