import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  forbiddenImports,
  importCycles,
  importersOf,
  parseSource,
  readSources,
  type ImportTable,
  type Module,
} from '../scripts/structure/import-graph.ts';

const ROOT = join(import.meta.dirname, '..');

/** Who may import whom. A file has a line of its own where it may do more, or less, than its folder. */
const TABLE: ImportTable = {
  'src/semconv': ['zod', '@scure'],
  'src/steps': ['src/semconv', '@opentelemetry/api', 'node:'],
  'src/facts': ['src/semconv', 'zod'],
  'src/ingest': ['src/facts', 'src/http', 'src/semconv', '@grpc/grpc-js', 'numcodecs', 'zod', 'node:'],
  'src/scoring': [],
  'src/grids': ['src/semconv', '@petamoriken', 'zarrita', 'numcodecs', 'undici', 'zod', 'node:'],
  'src/world': ['src/grids', 'src/semconv', 'node:'],
  'src/pipeline': [
    ...['src/semconv', 'src/steps', 'src/scoring', 'src/grids', 'src/database', 'src/pipeline/miners'],
    ...['src/lifecycle', 'graphile-worker', 'pg', 'undici', 'zod', 'node:'],
  ],
  'src/pipeline/miners': ['src/semconv', 'src/steps', '@scure', 'undici', 'zod', 'node:'],
  'src/fleet': ['src/pipeline/miners', 'src/semconv', '@scure', 'zod', 'node:'],
  'src/database': ['src/processes', 'src/semconv', 'pg', 'zod', 'node:'],
  'src/processes': ['src/semconv', 'node:'],
  'src/lifecycle': ['node:'],
  'src/http': ['src/semconv', '@fastify/rate-limit', 'fastify', 'node:'],
  'src/reports': ['src/semconv', 'pg'],
  'src/commands': ['src', '@opentelemetry/api', 'commander', 'pg', 'node:'],

  // What a person starts.
  'src/cli.ts': ['src/commands', 'commander'],
  'src/start-command.ts': ['src/commands', 'src/config.ts', 'commander'],
  // What the parts are put together with.
  'src/config.ts': ['src/semconv', 'zod'],
  'src/recorder': [
    ...[
      'src/config.ts',
      'src/database',
      'src/facts',
      'src/http',
      'src/lifecycle',
      'src/semconv',
      'src/steps',
    ],
    ...['exporters', '@opentelemetry', 'pg', 'node:'],
  ],
  // What is done to the record of other processes: no recorder of steps runs in it.
  'src/maintenance': [
    ...['src/database', 'src/semconv', 'exporters/postgres', 'exporters/prometheus', 'exporters/spool'],
    ...['pg', 'node:'],
  ],
  'src/start.ts': ['src/config.ts', 'src/lifecycle', 'src/pipeline', 'src/recorder'],
  'src/index.ts': ['src', 'exporters'],

  // The contracts between the parts of the recorder.
  'exporters/emitter-report.ts': [],
  'exporters/export-report.ts': ['exporters/emitter-report.ts', 'src/facts'],
  'exporters/processor': [
    'exporters/export-report.ts',
    ...['src/facts', 'src/lifecycle', 'src/semconv', '@opentelemetry'],
  ],
  'exporters/postgres': [
    ...['exporters/emitter-report.ts', 'exporters/export-report.ts', 'exporters/processor/observed-span.ts'],
    ...['exporters/processor/untraced.ts', 'src/facts', 'src/lifecycle', 'src/semconv'],
    // The combined and the overall score of a forecast, and the rank within a run: one formula each, in one place.
    ...['src/database', 'src/scoring/forecast-score.ts', 'src/scoring/ranking.ts'],
    ...['@opentelemetry', 'pg', 'pg-copy-streams', 'node:'],
  ],
  'exporters/prometheus': ['exporters/export-report.ts', 'src/facts', 'src/semconv', 'prom-client'],
  'exporters/spool': [
    ...['exporters/emitter-report.ts', 'exporters/export-report.ts', 'exporters/processor'],
    ...['src/facts', 'src/lifecycle', 'src/processes', 'src/semconv'],
    ...['@opentelemetry', 'zod', 'node:'],
  ],
  dashboards: ['src/semconv', '@grafana/grafana-foundation-sdk', 'node:'],
};

const FOLDERS = ['src', 'exporters', 'dashboards'].filter((folder) => existsSync(join(ROOT, folder)));
const sources = readSources(ROOT, FOLDERS);
const within = (folder: string) => sources.filter(({ path }) => path.startsWith(`${folder}/`));

describe('source modules', () => {
  it('the sources are found, so that the tests below prove something', () => {
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(500);
  });

  it('every import is allowed by the table', () => {
    expect(forbiddenImports(sources, TABLE)).toEqual([]);
  });

  it('no imports form a cycle', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  it('no source opens an HTTP server of its own: limits and graceful end stand in src/http once', () => {
    const byHand = sources
      .filter(({ path }) => {
        const text = readFileSync(join(ROOT, path), 'utf8');
        return text.includes("from 'node:http'") && text.includes('createServer');
      })
      .map(({ path }) => path);
    // The simulated miners are programs of others.
    expect(byHand).toEqual(['src/fleet/fleet-server.ts']);
  });

  it('sources, scripts and benchmarks import nothing of the tests', () => {
    const all = [...sources, ...readSources(ROOT, ['bench', 'scripts'])];
    expect(importersOf(all, 'test')).toEqual([]);
  });

  it('sources import only packages that a production installation has', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as Readonly<Record<'dependencies' | 'peerDependencies', Readonly<Record<string, string>>>>;
    const installed = { ...dependencies, ...peerDependencies };
    // What the dashboards are built with is not installed with them: their JSON is.
    const used = new Set(
      sources
        .filter(({ path }) => !path.startsWith('dashboards/'))
        .flatMap(({ imports }) => imports)
        .filter((target) => !/^(node:|src\/|exporters\/|dashboards\/)/.test(target))
        .map((target) => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0]),
    );
    expect([...used].filter((name) => name === undefined || !(name in installed))).toEqual([]);
  });
});

describe('the composition root', () => {
  const ofSrc = within('src');

  it('the composition root alone imports an exporter in src', () => {
    const rooms = importersOf(ofSrc, 'exporters').map((path) =>
      path === 'src/index.ts' ? path : path.split('/').slice(0, 2).join('/'),
    );
    // Maintenance is a root of its own, since a command that mends tables must not record itself.
    expect([...new Set(rooms)].sort()).toEqual(['src/index.ts', 'src/maintenance', 'src/recorder']);
  });

  it('pipeline and recording meet in one place; the public door and the exit report only name both', () => {
    const recorders = [
      ...importersOf(ofSrc, 'src/recorder/recording.ts'),
      ...importersOf(ofSrc, 'exporters'),
    ];
    const both = importersOf(ofSrc, 'src/pipeline').filter((path) => recorders.includes(path));
    // The report at the end prints what both have counted.
    expect(both).toEqual(['src/commands/terminal/exit-report.ts', 'src/index.ts', 'src/start.ts']);
  });

  it('no part imports the composition root, and no module the public door', () => {
    const parts = sources.filter(
      ({ path }) => posix.dirname(path) !== 'src' && !path.startsWith('src/commands/'),
    );
    for (const root of ['src/start.ts', 'src/recorder', 'src/maintenance']) {
      const others = parts.filter(({ path }) => !path.startsWith(`${root}/`));
      expect(importersOf(others, root)).toEqual([]);
    }
    expect(importersOf(sources, 'src/index.ts')).toEqual([]);
  });
});

describe('exporters', () => {
  it.each(['postgres', 'prometheus', 'spool'])(
    'the exporter %s imports neither the pipeline nor another exporter',
    (name) => {
      const others = ['postgres', 'prometheus', 'spool'].filter((other) => other !== name);
      for (const entry of [
        'src/pipeline',
        'src/steps',
        'src/start.ts',
        ...others.map((it) => `exporters/${it}`),
      ])
        expect(importersOf(within(`exporters/${name}`), entry)).toEqual([]);
    },
  );
});

describe('house style', () => {
  const sizes = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  const quantile = (part: number): number => sizes[Math.floor(part * sizes.length)] ?? Infinity;

  it('files have at most 350 lines, 90 per cent at most 200 and the median at most 80', () => {
    const tooLong = sources.filter(({ lines }) => lines > 350).map(({ path, lines }) => `${path}: ${lines}`);
    expect(tooLong).toEqual([]);
    expect(quantile(0.9)).toBeLessThanOrEqual(200);
    expect(quantile(0.5)).toBeLessThanOrEqual(80);
  });

  it('no module has a default export', () => {
    expect(sources.filter(({ hasDefaultExport }) => hasDefaultExport).map(({ path }) => path)).toEqual([]);
  });

  it('no module writes to the console, which belongs to the host program', () => {
    expect(sources.filter(({ usesConsole }) => usesConsole).map(({ path }) => path)).toEqual([]);
  });

  const readme = join(ROOT, 'README.md');
  it.skipIf(!existsSync(readme))(
    'every folder is in the map of the README (skipped without a README)',
    () => {
      const text = readFileSync(readme, 'utf8');
      const folders = new Set(
        [...within('src'), ...within('exporters')]
          .map(({ path }) => path.split('/').slice(0, -1).slice(0, 2))
          .filter((parts) => parts.length === 2)
          .map((parts) => parts.join('/')),
      );
      expect(folders.size).toBeGreaterThan(10);
      expect([...folders].filter((folder) => !text.includes(`\`${folder}\``))).toEqual([]);
    },
  );
});

describe('import checker', () => {
  const table: ImportTable = { 'src/a': ['src/b', 'zod', '@scope'], 'src/b': [], 'src/b/deep': ['node:'] };
  const module = (path: string, ...imports: string[]): Module => ({ path, imports });

  it('an import that the table does not allow is reported with what is allowed', () => {
    expect(forbiddenImports([module('src/b/x.ts', 'src/a/y.ts')], table)).toEqual([
      'src/b/x.ts imports src/a/y.ts; src/b may import nothing',
    ]);
    expect(forbiddenImports([module('src/a/x.ts', 'pg', 'node:fs', 'zodiac')], table)).toHaveLength(3);
  });

  it('a part may import itself, what the table names and everything below that', () => {
    const fine = [
      module('src/a/x.ts', 'src/a/y.ts', 'src/b/z.ts', 'src/b/deep/z.ts', 'zod', 'zod/v4', '@scope/base'),
      module('src/b/deep/z.ts', 'node:fs', 'src/b/deep/y.ts'),
    ];
    expect(forbiddenImports(fine, table)).toEqual([]);
  });

  it('a nested folder is checked by its own row, not by that of its parent', () => {
    expect(forbiddenImports([module('src/b/x.ts', 'node:fs')], table)).toHaveLength(1);
    expect(forbiddenImports([module('src/b/x.ts', 'src/b/deep/z.ts')], table)).toHaveLength(1);
    expect(forbiddenImports([module('src/b/deep/z.ts', 'src/b/x.ts')], table)).toHaveLength(1);
  });

  it('a folder is not mistaken for another with the same prefix', () => {
    expect(forbiddenImports([module('src/a/x.ts', 'src/bb/x.ts')], table)).toHaveLength(1);
  });

  it('a file without a row in the table is reported', () => {
    expect(forbiddenImports([module('src/new/x.ts')], table)).toEqual([
      'src/new/x.ts belongs to no part of the table',
    ]);
  });

  it('long cycles and self-imports are reported, and a diamond is no cycle', () => {
    const circle = [module('a', 'b'), module('b', 'c'), module('c', 'b', 'd'), module('d')];
    expect(importCycles(circle)).toEqual([['b', 'c']]);
    expect(importCycles([module('a', 'a')])).toEqual([['a']]);
    const diamond = [module('a', 'b', 'c'), module('b', 'd'), module('c', 'd'), module('d')];
    expect(importCycles(diamond)).toEqual([]);
  });

  it('every form of import is found: value, type, side effect, re-export, dynamic', () => {
    const { imports } = parseSource(
      'src/a/x.ts',
      `import { a } from '../b/a.ts'; import type { B } from './b.ts'; import 'side-effect';
       export * from './c.ts'; export { d } from 'd'; const e = await import('../e.ts');
       let f: import('./f.ts').F; // import { no } from './no.ts'`,
    );
    expect(imports).toEqual([
      'd',
      'side-effect',
      'src/a/b.ts',
      'src/a/c.ts',
      'src/a/f.ts',
      'src/b/a.ts',
      'src/e.ts',
    ]);
  });

  it('default exports in every form, and uses of the console, are found', () => {
    const defaults = [
      'export default 1',
      'export default function f() {}',
      'const a = 1; export { a as default }',
    ];
    for (const text of defaults) expect(parseSource('x.ts', text).hasDefaultExport).toBe(true);
    const plain = parseSource('x.ts', `export const a = 'export default'; // console.log`);
    expect([plain.hasDefaultExport, plain.usesConsole]).toEqual([false, false]);
    expect(parseSource('x.ts', 'console.error(1)').usesConsole).toBe(true);
  });
});
