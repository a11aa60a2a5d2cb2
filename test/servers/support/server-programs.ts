import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The real servers, as `test/servers/build-servers.mjs` made them. */
export interface ServerPrograms {
  readonly collector: string;
  readonly jaeger: string;
}

/** The programs, or null and why nothing can be tested with them. */
export function findServerPrograms(): {
  readonly programs: ServerPrograms | null;
  readonly reason: string;
} {
  const programs = { collector: pathOf('otelcol-barograph'), jaeger: pathOf('jaeger') };
  const missing = Object.values(programs).filter((path) => !existsSync(path));
  return missing.length === 0 ? { programs, reason: '' } : { programs: null, reason: absence(missing) };
}

/** The Collector alone; null when it is not there, which is said. */
export function findCollector(): string | null {
  const path = pathOf('otelcol-barograph');
  if (existsSync(path)) return path;
  console.log(absence([path]));
  return null;
}

const pathOf = (name: string): string =>
  join(resolve(process.env['BAROGRAPH_SERVERS_DIR'] ?? join(ROOT, '.barograph', 'servers')), name);

const absence = (missing: readonly string[]): string =>
  `Skipped: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not there. With Go on PATH, ` +
  '"node test/servers/build-servers.mjs" builds both from source in some minutes; BAROGRAPH_SERVERS_DIR says where.';
