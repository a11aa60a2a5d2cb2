import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import * as door from '#src/index';
import { testDataDirectory } from './support/data-directory.ts';
import { createTestDatabase } from './support/postgres.ts';

const ROOT = join(import.meta.dirname, '..');

interface PackageJson {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}
const { exports: subpaths } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;

/** Runs a program in the root of the repository and gives its standard output. */
function run(program: string, args: readonly string[], env = process.env): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}

const toTypes = (path: string): string => path.replace(/\.js$/, '.d.ts');

describe('the public door', () => {
  it('the public door exports these names and no others', () => {
    expect(Object.keys(door).sort()).toMatchInlineSnapshot(`
      [
        "CategorizedError",
        "ForecastSpanExporter",
        "RecordingSpanProcessor",
        "Spool",
        "Step",
        "adoptSpools",
        "claimFolder",
        "classifyError",
        "connectDatabase",
        "createPostgresExporter",
        "createPrometheusExporter",
        "currentIdentity",
        "currentTraceparent",
        "instrumentationFaults",
        "isRetryable",
        "migrate",
        "readConfig",
        "recordingSampler",
        "startBarograph",
        "startRecording",
        "step",
        "toSpanSink",
        "translate",
        "withIdentity",
      ]
    `);
  });

  it('the public door classifies errors and makes steps without any SDK', () => {
    expect(door.classifyError(new door.CategorizedError('lock_busy', 'held by another'))).toBe('lock_busy');
    const double = door.step({ name: 'query', substep: 'initiate_fetch' }, (value: number) => 2 * value);
    expect(double(21)).toBe(42);
  });
});

describe('the built package', () => {
  beforeAll(() => {
    run(process.execPath, ['scripts/build.mjs']);
  }, 300_000);

  it('the built package has these subpaths', () => {
    expect(Object.keys(subpaths)).toEqual([
      '.',
      './steps',
      './semconv',
      './postgres',
      './prometheus',
      './package.json',
    ]);
  });

  it('the built package can be imported by name from plain Node, with the same names as the sources', () => {
    const program = `
      const names = async (path) => Object.keys(await import(path)).sort();
      console.log(JSON.stringify({
        door: await names('barograph'),
        steps: await names('barograph/steps'),
        semconv: await names('barograph/semconv'),
        postgres: await names('barograph/postgres'),
        prometheus: await names('barograph/prometheus'),
        version: (await import('barograph/package.json', { with: { type: 'json' } })).default.name,
      }));`;
    const found = JSON.parse(run(process.execPath, ['--input-type=module', '--eval', program])) as Record<
      string,
      readonly string[]
    >;
    expect(found['door']).toEqual(Object.keys(door).sort());
    expect(found['steps']).toEqual(expect.arrayContaining(['Step', 'classifyError', 'step', 'withIdentity']));
    expect(found['semconv']).toEqual(
      expect.arrayContaining(['ATTRIBUTES', 'ERROR_CATEGORIES', 'STEP_NAMES']),
    );
    // Neither is vocabulary.
    expect(found['semconv']).not.toEqual(expect.arrayContaining(['memoize']));
    expect(found['semconv']).not.toEqual(expect.arrayContaining(['KIND_OF_SCHEMA']));
    expect(found['postgres']).toEqual(['ForecastSpanExporter', 'createPostgresExporter']);
    expect(found['prometheus']).toEqual(['createPrometheusExporter']);
    expect(found['version']).toBe('barograph');
  });

  it('the program of the README is whole: run as it is printed, it records its rows', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, program = ''] = /Record a program of your own[^]*?```js\n([^]*?)\n +```/.exec(readme) ?? [];
    const lines = program.split('\n').map((line) => line.slice(3));
    expect(lines.length).toBeLessThanOrEqual(25);
    const database = await createTestDatabase();
    const env = {
      ...process.env,
      DATABASE_URL: database.connectionString,
      BAROGRAPH_DATA_DIR: testDataDirectory(),
    };
    run(process.execPath, ['--input-type=module', '--eval', lines.join('\n')], env);
    const { rows } = await database.pool.query(
      `select step.miner_hotkey as hotkey, step.substep, step.status, forecast.current_forecast_stage as stage
       from weather_forecast_steps as step join weather_forecast_stats as forecast using (validator_id, run_id, miner_hotkey)
       where run_id = 7 order by step.miner_hotkey`,
    );
    expect(rows).toEqual([
      { hotkey: '5Able', substep: 'initiate_fetch', status: 'succeeded', stage: 'inference_running' },
      expect.objectContaining({ hotkey: '5Busy', substep: 'initiate_fetch', status: 'failed' }),
    ]);
    await database.drop();
  });

  it('every import within the built package, in code and in types, leads to a built file by its relative path', () => {
    const dist = join(ROOT, 'dist');
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(js|d\.ts)$/.test(name),
    );
    const imports = files.flatMap((name) =>
      [...readFileSync(join(dist, name), 'utf8').matchAll(/(?:from|import\() ?['"]([#.][^'"]+)['"]/g)].map(
        ([, specifier = '']) => ({ name, specifier }),
      ),
    );
    expect(imports.length).toBeGreaterThan(600);
    const lost = imports.filter(({ name, specifier }) => {
      const path = join(dirname(name), specifier).replace(/\.ts$/, '.js');
      return specifier.startsWith('#') || !files.includes(path) || !files.includes(toTypes(path));
    });
    expect(lost).toEqual([]);
  });

  it('the built package has no subpath beyond its exports', () => {
    const program = `await import('barograph/dist/src/config.js')`;
    expect(() => run(process.execPath, ['--input-type=module', '--eval', program])).toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });

  it('the types of the built package accept a strict foreign program and reject a wrong one', () => {
    const program = `
      import { step, type StepDefinition, translate, type StepFact, RecordingSpanProcessor } from 'barograph';
      import { currentIdentity, type StepIdentity } from 'barograph/steps';
      import { STEP_NAMES, type StepName } from 'barograph/semconv';
      import { createPostgresExporter, type ForecastSpanExporterOptions } from 'barograph/postgres';
      import { createPrometheusExporter } from 'barograph/prometheus';
      const definition: StepDefinition<[run: number], Promise<string>> = {
        name: 'query', substep: 'initiate_fetch', identity: (run) => ({ runId: run }),
      };
      export const query: (run: number) => Promise<string> = step(definition, async (run) => String(run));
      export const names: readonly StepName[] = STEP_NAMES;
      export const around: StepIdentity = currentIdentity();
      export function open(options: ForecastSpanExporterOptions) {
        const prometheus = createPrometheusExporter({
          recorderState: () => ({ queueLength: 0, oldestAgeMillis: null, dropped: {} }),
        });
        const rows = createPostgresExporter({ ...options, onCommit: (committed) => prometheus.observe(committed) });
        return new RecordingSpanProcessor({ sink: { export: (spans) => rows.exportObserved(spans) } });
      }
      export const factOf = (span: Parameters<typeof translate>[0]): StepFact | null => {
        const translation = translate(span);
        return translation.kind === 'step' ? translation.fact : null;
      };`;
    expect(complaintsOf(program)).toEqual([]);
    const wrong = `
      import { step } from 'barograph';
      export const odd = step({ name: 'teleport', substep: 'initiate_fetch' }, () => 1);`;
    expect(complaintsOf(wrong).join()).toContain(`'"teleport"' is not assignable`);
  }, 120_000);

  it('the built package is packed with its programs, types and SQL, and without tests or sources', () => {
    const [packed] = JSON.parse(run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])) as {
      readonly files: readonly { readonly path: string }[];
    }[];
    const paths = packed?.files.map(({ path }) => path) ?? [];
    for (const target of Object.values(subpaths).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    ))
      expect(paths).toContain(target.replace('./', ''));
    for (const path of [
      'dist/src/cli.js',
      'dist/src/database/migrations/0001_recorded_tables.sql',
      'python/barograph_step.py',
      'README.md',
    ])
      expect(paths).toContain(path);
    expect(paths.filter((path) => /^(test|src|exporters|scripts)\/|\.test\./.test(path))).toEqual([]);
  });
});

/** What the compiler says of a program that lies beside the package and sees only what it exports. */
function complaintsOf(text: string): readonly string[] {
  const path = join(ROOT, 'stranger.mts');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => (name === path ? text : readFile(name));
  host.getSourceFile = (name, target, ...rest) =>
    name === path ? ts.createSourceFile(name, text, target) : getSourceFile(name, target, ...rest);
  const program = ts.createProgram([path], options, host);
  const sources = program.getSourceFiles().map(({ fileName }) => fileName);
  const past = sources.filter(
    (name) => /\/(src|exporters)\//.test(name) && !/\/(dist|node_modules)\//.test(name),
  );
  const source = program.getSourceFile(path);
  return [
    ...past.map((name) => `${name} was read instead of the built types`),
    ...[...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
    ),
  ];
}
