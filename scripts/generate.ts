import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DASHBOARD_FILES } from '#dashboards/index';
import { WEATHER_SCHEMA } from '#semconv/instrumentation-scope';
import { renderMetricsPage } from '#semconv/metrics-page';
import { renderReferencePage } from '#semconv/reference-page';
import { renderColumns } from './columns-page.ts';
import { renderGridStores } from './grid-stores-page.ts';
import { RULE_FILES } from './rule-files.ts';
import { renderPythonConstants } from './vocabulary/python-constants.ts';
import { PYTHON_STEP, renderPythonStep } from './vocabulary/python-step.ts';
import { renderRegistry } from './vocabulary/registry.ts';

/** A generated file that is checked in. */
export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

/** All generated files; add new ones here. */
export const GENERATED_FILES: readonly GeneratedFile[] = [
  { path: 'docs/attributes.md', render: () => `${renderReferencePage()}\n${renderColumns()}` },
  { path: 'docs/metrics.md', render: renderMetricsPage },
  { path: 'docs/grid-stores.md', render: renderGridStores },
  { path: `docs/vocabulary/weather-${WEATHER_SCHEMA.version}.json`, render: renderRegistry },
  { path: 'python/barograph_vocabulary.py', render: renderPythonConstants },
  { path: PYTHON_STEP, render: renderPythonStep },
  ...DASHBOARD_FILES,
  ...RULE_FILES,
];

/** The paths whose file under `root` is missing or differs from what would be written. */
export async function staleFiles(
  root: string,
  files: readonly GeneratedFile[] = GENERATED_FILES,
): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const { path, render } of files) {
    const found = await readFile(join(root, path), 'utf8').catch(() => null);
    if (found !== (await render())) stale.push(path);
  }
  return stale;
}

/** Writes all of the files under `root`. */
export async function writeGeneratedFiles(
  root: string,
  files: readonly GeneratedFile[] = GENERATED_FILES,
): Promise<void> {
  for (const { path, render } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), await render());
  }
}

/** `--check` only compares, names the stale files and exits with 1 when there are any. */
async function main(args: readonly string[]): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  if (!args.includes('--check')) {
    await writeGeneratedFiles(root);
    console.log(`wrote ${GENERATED_FILES.map(({ path }) => path).join(', ')}`);
    return;
  }
  const stale = await staleFiles(root);
  if (stale.length === 0) return;
  console.error(`stale: ${stale.join(', ')}; run "npm run generate" and commit what it writes`);
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
