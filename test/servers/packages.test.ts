import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOOLS = join(ROOT, 'node_modules');

let database: TestDatabase;
let packed: string;
const folders = mkdtempSync(join(tmpdir(), 'barograph-packages-'));
beforeAll(async () => {
  database = await createTestDatabase();
  run(ROOT, process.execPath, ['scripts/build.mjs']);
  const [file = ''] = run(ROOT, 'npm', [
    'pack',
    '--ignore-scripts',
    '--silent',
    '--pack-destination',
    folders,
  ]).split('\n');
  packed = join(folders, file);
});
afterAll(async () => {
  rmSync(folders, { recursive: true });
  await database.drop();
});

/** Runs a program and gives its standard output. */
function run(cwd: string, program: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    DATABASE_URL: database.connectionString,
    BAROGRAPH_DATA_DIR: testDataDirectory(),
  };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}: ${stderr}${stdout}`);
  return stdout;
}

/** The project of a user, with the package as it is published. */
function install(packages: readonly string[]): string {
  const folder = mkdtempSync(join(folders, 'project-'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "scratch", "private": true }');
  const quiet = [
    '--silent',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--omit=optional',
    '--prefer-offline',
  ];
  run(folder, 'npm', ['install', ...quiet, packed, ...packages]);
  return folder;
}

const stepsOf = async (run: number) =>
  (
    await database.pool.query<{ step: string; span: string; parent: string | null }>(
      `select step_name as step, span_id as span, parent_span_id as parent from weather_forecast_steps
       where run_id = $1 order by step_name, miner_hotkey`,
      [run],
    )
  ).rows;

describe('the package in a project with the newest @opentelemetry/api', () => {
  let project: string;
  beforeAll(() => {
    project = install(['@opentelemetry/api@1.10.0', '@types/node@20.19.43', '@arethetypeswrong/cli@0.18.5']);
  });

  it('it is required from CommonJS and imported from a module', () => {
    const names = `console.log(typeof startRecording, typeof step);`;
    const require = `const { startRecording, step } = require('barograph'); ${names}`;
    const module = `import { startRecording, step } from 'barograph'; ${names}`;
    expect(run(project, process.execPath, ['--eval', require])).toBe('function function\n');
    expect(run(project, process.execPath, ['--input-type=module', '--eval', module])).toBe(
      'function function\n',
    );
  });

  it('the program of the README records, also from a bundle that leaves the package outside', async () => {
    const readme = readFileSync(join(project, 'node_modules/barograph/README.md'), 'utf8');
    const [, program = ''] = /Record a program of your own[^]*?```js\n([^]*?)\n +```/.exec(readme) ?? [];
    writeFileSync(join(project, 'program.mjs'), program);
    run(project, process.execPath, ['program.mjs']);
    expect((await stepsOf(7)).map(({ step }) => step)).toEqual(['query', 'query']);
    const bundling = [
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--external:barograph',
      '--outfile=bundle.mjs',
    ];
    run(project, process.execPath, [join(TOOLS, 'esbuild/bin/esbuild'), 'program.mjs', ...bundling]);
    run(project, process.execPath, ['bundle.mjs']);
    expect(await stepsOf(7)).toHaveLength(4);
  });

  it.each([
    ['a bundler', ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck', 'false']],
    ['Node', ['--module', 'nodenext', '--skipLibCheck', 'true']],
  ])('its types are accepted under strict options as %s resolves them', (_who, options) => {
    const program = `
      import { startRecording, step } from 'barograph';
      import { currentIdentity } from 'barograph/steps';
      import { createPostgresExporter } from 'barograph/postgres';
      export const query = step({ name: 'query', identity: (run: number) => ({ runId: run }) }, async (run: number) => run);
      export const all = [startRecording, currentIdentity, createPostgresExporter];`;
    writeFileSync(join(project, 'program.ts'), program);
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--types', 'node', ...options];
    run(project, process.execPath, [join(TOOLS, 'typescript/bin/tsc'), ...strict, 'program.ts']);
  });

  it('attw finds nothing wrong with a package of modules', () => {
    run(project, 'npx', ['attw', '--profile', 'esm-only', packed]);
  });
});

describe('the package in a project with OpenTelemetry SDK 1.x', () => {
  it('steps are spans of that SDK by our processor, recorded once and below their parents', async () => {
    const project = install([
      '@opentelemetry/sdk-trace-base@1.30.1',
      '@opentelemetry/context-async-hooks@1.30.1',
    ]);
    const program = `
      const { context, trace } = require('@opentelemetry/api');
      const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
      const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
      const { startRecording, step } = require('barograph');
      async function main() {
        const recording = await startRecording({ validatorHotkey: '5Old' });
        const exporter = new InMemorySpanExporter();
        const spanProcessors = [recording.spanProcessor, new SimpleSpanProcessor(exporter)];
        context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
        trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
        const identity = () => ({ runId: 11, minerHotkey: '5Miner' });
        const inner = step({ name: 'verify', identity }, async () => 1);
        await step({ name: 'query', identity }, () => inner())();
        await recording.close();
        console.log(exporter.getFinishedSpans().map(({ name }) => name).join());
      }
      main();`;
    writeFileSync(join(project, 'program.cjs'), program);
    expect(run(project, process.execPath, ['program.cjs'])).toBe('verify manifest,query initiate_fetch\n');
    const [query, verify, ...more] = await stepsOf(11);
    expect([query?.parent, verify?.parent, more]).toEqual([null, query?.span, []]);
  });
});
