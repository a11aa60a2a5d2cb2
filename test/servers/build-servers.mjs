import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Builds the Collector and Jaeger for the server tests from the Go module proxy, each once; minutes of work.
 *
 *   node test/servers/build-servers.mjs [otelcol-barograph | jaeger]
 *
 * Go 1.25 or newer must be on PATH. The programs are in `.barograph/servers` or BAROGRAPH_SERVERS_DIR; an existing program
 * is kept, so delete it to build another version.
 */
const ROOT = resolve(import.meta.dirname, '..', '..');
const PLACE = resolve(process.env.BAROGRAPH_SERVERS_DIR ?? join(ROOT, '.barograph', 'servers'));
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.165.0';
/** The last release of Jaeger under a module path that the proxy serves; its `jaeger` is 2.13.0. */
const JAEGER = 'github.com/jaegertracing/jaeger@v1.76.0';

mkdirSync(PLACE, { recursive: true });
build('jaeger', () => {
  // Its go.mod replaces modules, which `go install` refuses; as the main module it builds.
  const sources = JSON.parse(output('go', ['mod', 'download', '-json', JAEGER])).Dir;
  const version = '-X github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0';
  go(['build', '-ldflags', `-s -w ${version}`, '-o', join(PLACE, 'jaeger'), './cmd/jaeger'], sources);
});
build('otelcol-barograph', () => {
  const sources = join(PLACE, 'otelcol-sources');
  go(['install', BUILDER]);
  const manifest = join(PLACE, 'collector-builder.yaml');
  const components = readFileSync(join(import.meta.dirname, 'collector-builder.yaml'), 'utf8');
  writeFileSync(manifest, components.replace(/^dist:$/m, `dist:\n  output_path: ${sources}`));
  run(join(PLACE, 'builder'), ['--config', manifest, '--skip-compilation']);
  go(['build', '-trimpath', '-ldflags=-s -w', '-o', join(PLACE, 'otelcol-barograph'), '.'], sources);
  for (const path of [sources, manifest, join(PLACE, 'builder')]) rmSync(path, { recursive: true });
});

/** Builds a program unless it exists, or others are wanted. */
function build(name, make) {
  const path = join(PLACE, name);
  const wanted = process.argv.slice(2);
  if (wanted.length > 0 && !wanted.includes(name)) return true;
  if (existsSync(path)) return process.stdout.write(`${name} is there: ${path}\n`);
  const start = performance.now();
  make();
  const seconds = Math.round((performance.now() - start) / 1000);
  return process.stdout.write(`${name} was built in ${seconds} s: ${path}\n`);
}

function go(args, cwd = PLACE) {
  run('go', args, cwd);
}

/** What a program writes to its standard output. */
function output(program, args) {
  return run(program, args, PLACE, 'pipe');
}

/** Runs a program to its end; exits with a message when it fails. */
function run(program, args, cwd = PLACE, stdout = 'inherit') {
  const env = { ...process.env, GOBIN: PLACE, CGO_ENABLED: '0', GOFLAGS: '-trimpath -buildvcs=false' };
  const stdio = ['ignore', stdout, 'inherit'];
  const { status, error, stdout: text } = spawnSync(program, args, { cwd, env, stdio, encoding: 'utf8' });
  if (status === 0) return text;
  const reason = error === undefined ? `it ended with ${status ?? 'a signal'}` : error.message;
  process.stderr.write(`${program} ${args.join(' ')} failed: ${reason}\n`);
  process.exit(1);
}
