import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { NODES, pack, run, TOOLS, type Environment } from './support/scratch-projects.ts';
import { BUNDLES, installProjects } from './support/user-projects.ts';

let database: TestDatabase;
let packed: string;
let company: string;
let newest: string;
let byPnpm: string;
const folders = mkdtempSync(join(tmpdir(), 'barograph-packages-'));

beforeAll(async () => {
  database = await createTestDatabase();
  packed = await pack(folders);
  ({ company, newest, byPnpm } = await installProjects(folders, packed));
  for (const [, args] of BUNDLES) await run(newest, process.execPath, args);
});
afterAll(async () => {
  rmSync(folders, { recursive: true });
  await database.drop();
});

let lastRun = 0;
/** Runs of one program; each records into some of its own. */
const RUNS_PER_PROGRAM = 10;

/** A program that records, run by itself: its first run, and what it printed. */
async function record(project: string, node: string, args: readonly string[], more: Environment = {}) {
  const first = (lastRun += RUNS_PER_PROGRAM);
  const env = {
    RUN: String(first),
    DATABASE_URL: database.connectionString,
    BAROGRAPH_METRICS_PORT: '0',
    ...more,
  };
  return { first, ...(await run(project, node, args, env)) };
}

/** The same, for a program that prints one document. */
async function recordJson(project: string, node: string, args: readonly string[], more: Environment = {}) {
  const { first, stdout } = await record(project, node, args, more);
  return { first, result: JSON.parse(stdout) as unknown };
}

interface Row {
  readonly step: string;
  readonly trace: string;
  readonly span: string;
  readonly parent: string | null;
}

const stepsOf = async (runId: number): Promise<readonly Row[]> =>
  (
    await database.pool.query<Row>(
      `select step_name as step, trace_id as trace, span_id as span, parent_span_id as parent
       from weather_forecast_steps where run_id = $1 order by step_name, miner_hotkey`,
      [runId],
    )
  ).rows;

/** The two steps of `nested`, recorded once, one below the other. @returns the outer one */
async function expectNested(runId: number, outer: Partial<Row>): Promise<void> {
  const rows = await stepsOf(runId);
  expect(rows).toMatchObject([
    { step: 'query', ...outer },
    { step: 'verify', trace: rows[0]?.trace, parent: rows[0]?.span },
  ]);
}

interface HostSpan {
  readonly name: string;
  readonly span: string;
  readonly parent: string | null;
  readonly links: number;
}

/** SDK 3.x needs Node 22.15. */
function sdksOf(version: string): readonly ('1' | '2' | '3')[] {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 15) ? ['1', '2', '3'] : ['1', '2'];
}

describe.concurrent.each(NODES)(
  'the package in programs of others, on Node $version',
  ({ path: node, version }) => {
    it.each(['before', 'after'] as const)(
      'a program that registers its SDK %s the recording keeps its spans, context and propagator, and gives rows its trace',
      async (order) => {
        interface Found {
          readonly traceId: string;
          readonly spanId: string;
        }
        const { first, result } = await recordJson(company, node, ['company.cjs', order]);
        const { traceId, spanId } = result as Found;
        expect(result).toEqual({
          traceId,
          spanId,
          active: spanId,
          isSame: true,
          names: ['request', 'request'],
        });
        await expectNested(first, { trace: traceId, parent: spanId });
        if (order === 'after') await expectNested(first + 1, { parent: null });
      },
    );

    it('a program that instruments pg, http and undici exports its own spans alone while batches, polls and scrapes run', async () => {
      const { first, result } = await recordJson(company, node, ['instrumented.cjs']);
      expect(result).toEqual({
        isScraped: true,
        own: [],
        names: ['GET', 'GET', 'pg.connect', expect.stringMatching(/^pg.query/) as unknown],
      });
      expect(await stepsOf(first)).toHaveLength(200);
    });

    it.each(sdksOf(version))(
      'a program with OpenTelemetry SDK %s.x has steps in its traces, by our processor or exporter, recorded once and never cut (3.x: from Node 22.15)',
      async (sdk) => {
        const { first, result } = await recordJson(sdk === '3' ? newest : company, node, ['shared.cjs', sdk]);
        const { byProcessor, byExporter } = result as Record<'byProcessor' | 'byExporter', HostSpan[]>;
        for (const [runId, spans] of [
          [first, byProcessor],
          [first + 2, byExporter],
        ] as const) {
          const [verify, query, request, ...more] = spans;
          expect(more).toEqual([]);
          expect(query).toMatchObject({ name: 'query initiate_fetch', parent: request?.span, links: 1 });
          expect(verify).toMatchObject({ name: 'verify manifest', parent: query?.span, links: 0 });
          await expectNested(runId, { span: query?.span ?? '', parent: request?.span ?? '' });
        }
        expect(result).toMatchObject({ limited: ['request'] });
        await expectNested(first + 1, {});
      },
    );

    it('limits of OpenTelemetry in the environment cut no scores and no hotkeys, and a warning names each', async () => {
      const limits = {
        OTEL_SPAN_EVENT_COUNT_LIMIT: '8',
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '24',
        OTEL_ATTRIBUTE_COUNT_LIMIT: '4',
      };
      const { first, stderr } = await record(company, node, ['limits.cjs'], limits);
      for (const [name, value] of Object.entries(limits)) expect(stderr).toContain(`${name}=${value}`);
      const { rows } = await database.pool.query(
        `select miner_hotkey as hotkey, count(*)::int as scores from weather_forecast_component_scores
       where run_id = $1 group by miner_hotkey`,
        [first],
      );
      expect(rows).toEqual([{ hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY', scores: 80 }]);
    });

    it('a copy of the API that ours cannot share is named once, and steps are recorded all the same', async () => {
      const { first, result } = await recordJson(company, node, ['second-copy.cjs']);
      expect(result).toEqual([expect.stringContaining('@opentelemetry/api 1.4.1') as unknown]);
      await expectNested(first, { parent: null });
    });

    it('a step is recorded with @opentelemetry/api 1.10, and as pnpm installs with strict peers, required or imported', async () => {
      for (const [project, program] of [
        [newest, 'one-step.cjs'],
        [byPnpm, 'one-step.mjs'],
      ] as const) {
        const { first, stderr } = await record(project, node, [program]);
        expect([await stepsOf(first), stderr]).toMatchObject([[{ step: 'verify' }], '']);
      }
    });

    it('decorators of tsc, esbuild, babel and swc work in both dialects, or throw at definition with the reason', async () => {
      const { first, result } = await recordJson(newest, node, ['decorated.cjs'], {
        NODE_PATH: TOOLS,
      });
      const { 'swc, without settings': refused, ...working } = result as Record<string, number | string>;
      expect(refused).toContain('set jsc.transform.decoratorVersion to "2022-03"');
      const compilers = Object.keys(working);
      expect(working).toEqual(Object.fromEntries(compilers.map((name, index) => [name, first + index])));
      for (const index of compilers.keys()) expect(await stepsOf(first + index)).toHaveLength(1);
    });

    it('a program records from a bundle with the package inside or outside, by esbuild and by webpack', async () => {
      for (const bundle of BUNDLES.map(([name]) => name)) {
        const { first } = await record(newest, node, [bundle]);
        expect([bundle, (await stepsOf(first)).length]).toEqual([bundle, 1]);
      }
    });

    it('tests of users record in jest with modules, and in vitest', async () => {
      const jest = [
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '--testMatch',
        '**/*.test.mjs',
      ];
      const vitest = [join(TOOLS, 'vitest/vitest.mjs'), 'run', '--globals', '--root', newest];
      for (const args of [jest, vitest]) {
        const { first, stderr } = await record(newest, node, args);
        expect(await stepsOf(first)).toHaveLength(1);
        expect(stderr, 'errors of Node are of another realm there').not.toContain('BarographWarning');
      }
    });
  },
);

describe.concurrent('the package as its tools see it', () => {
  it('its types are accepted under strict options as a bundler and as Node resolves them', async () => {
    const program = `
      import { startRecording, step } from 'barograph';
      import { currentIdentity } from 'barograph/steps';
      import { createPostgresExporter } from 'barograph/postgres';
      export const query = step({ name: 'query', identity: (run: number) => ({ runId: run }) }, async (run: number) => run);
      export const all = [startRecording, currentIdentity, createPostgresExporter];`;
    writeFileSync(join(newest, 'program.ts'), program);
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--types', 'node', 'program.ts'];
    for (const options of [
      ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck', 'false'],
      ['--module', 'nodenext', '--skipLibCheck', 'true'],
    ])
      await run(newest, process.execPath, [join(TOOLS, 'typescript/bin/tsc'), ...strict, ...options]);
  });

  it('attw and publint find nothing wrong with a package of modules', async () => {
    await run(newest, 'npx', ['attw', '--profile', 'esm-only', packed]);
    await run(newest, 'npx', ['publint', '--strict', packed]);
  });

  it('its migrations are in its code, where a bundle has them', () => {
    const compiled = readFileSync(
      join(newest, 'node_modules/barograph/dist/src/database/migration-files.js'),
      'utf8',
    );
    const folder = join(import.meta.dirname, '../../src/database/migrations');
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(texts.length).toBeGreaterThan(20);
    for (const text of texts) expect(compiled).toContain(JSON.stringify(text));
  });
});
