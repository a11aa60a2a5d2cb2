import { join } from 'node:path';
import { install, TOOLS } from './scratch-projects.ts';

/** SDK 2.x and 1.x, instrumentations, and an old copy of the API; peers are what they ask for. */
const COMPANY = [
  'pg@8.23.1',
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/sdk-trace-node@2.12.0',
  '@opentelemetry/context-async-hooks@2.12.0',
  '@opentelemetry/instrumentation@0.223.0',
  '@opentelemetry/instrumentation-http@0.223.0',
  '@opentelemetry/instrumentation-pg@0.76.0',
  '@opentelemetry/instrumentation-undici@0.33.0',
  'sdk-trace-1@npm:@opentelemetry/sdk-trace-base@1.30.1',
  'context-1@npm:@opentelemetry/context-async-hooks@1.30.1',
  'api-1.4@npm:@opentelemetry/api@1.4.1',
];

/** Optional packages that any project has, unless it omits them as these do. */
const OPTIONAL = [
  'pg-cloudflare@1.4.1',
  `@unrs/resolver-binding-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`,
];

/** The newest API, SDK 3.x, bundlers, compilers and test runners. */
const NEWEST = [
  'pg@8.23.1',
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/sdk-trace@3.1.1',
  '@opentelemetry/context-async-hooks@3.1.1',
  '@types/node@20.19.43',
  '@arethetypeswrong/cli@0.18.5',
  'publint@0.3.25',
  'webpack@5.113.0',
  'jest@30.5.2',
  '@babel/core@7.29.7',
  '@babel/plugin-proposal-decorators@7.29.7',
  '@swc/wasm@1.16.18',
  ...OPTIONAL,
];

/** The projects of users in which the package is tried, installed once for every Node. */
export async function installProjects(folders: string, packed: string) {
  const [company, newest, byPnpm] = await Promise.all([
    install(folders, 'npm with strict peers', [packed, ...COMPANY]),
    install(folders, 'npm', [packed, ...NEWEST]),
    install(folders, 'pnpm with strict peers', [packed, '@opentelemetry/api@1.9.1']),
  ]);
  return { company, newest, byPnpm };
}

const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

const esbuild = (program: string, format: string, ...more: string[]) => [
  join(TOOLS, 'esbuild/bin/esbuild'),
  program,
  '--bundle',
  '--platform=node',
  `--format=${format}`,
  '--log-level=warning',
  ...more,
];

/** The bundles, each with what makes it; the settings are those of docs/operating.md. */
export const BUNDLES: readonly (readonly [file: string, args: readonly string[]])[] = [
  ['outside.mjs', esbuild('one-step.mjs', 'esm', '--external:barograph', '--outfile=outside.mjs')],
  ['inside.mjs', esbuild('one-step.mjs', 'esm', `--banner:js=${REQUIRE}`, '--outfile=inside.mjs')],
  ['inside.cjs', esbuild('one-step.cjs', 'cjs', '--outfile=inside.cjs')],
  ['webpacked.cjs', ['webpack.cjs', './one-step.cjs', 'webpacked.cjs']],
];
