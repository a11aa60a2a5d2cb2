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
  const folder = process.env['BAROGRAPH_SERVERS_DIR'] ?? join(ROOT, '.barograph', 'servers');
  const place = resolve(folder);
  const programs = { collector: join(place, 'otelcol-barograph'), jaeger: join(place, 'jaeger') };
  const missing = Object.values(programs).filter((path) => !existsSync(path));
  if (missing.length === 0) return { programs, reason: '' };
  const reason =
    `Skipped: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not there. With Go on PATH, ` +
    '"node test/servers/build-servers.mjs" builds both from source in some minutes; BAROGRAPH_SERVERS_DIR says where.';
  return { programs: null, reason };
}
