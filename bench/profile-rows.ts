import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createPostgresExporter } from '../exporters/postgres/exporter.ts';
import { startEmbeddedPostgres } from '../src/database/embedded.ts';
import { createDatabasePool } from '../src/database/connect.ts';
import { migrate } from '../src/database/migrate.ts';
import { minerRun } from './miner-run.ts';

void pg;
const SIZE = Number(process.env['SIZE'] ?? 2000);
const RUNS = Number(process.env['RUNS'] ?? 4);
const dir = await mkdtemp(join(tmpdir(), 'rows-'));
const server = await startEmbeddedPostgres(dir);
console.log(server.connectionString);
const pool = createDatabasePool(server.connectionString);
await migrate(pool);
const spans = Array.from({ length: RUNS }, (_, run) =>
  Array.from({ length: 256 }, (__, uid) => minerRun(run + 1, uid)),
).flatMap((miners) => Array.from({ length: 44 }, (_, i) => miners.flatMap((m) => m.slice(i, i + 1))).flat());
const exporter = createPostgresExporter({ pool });
const times: number[] = [];
for (let at = 0; at < spans.length; at += SIZE) {
  const t = performance.now();
  const report = await exporter.exportObserved(spans.slice(at, at + SIZE));
  if (report.kind !== 'written') throw report.error;
  times.push(performance.now() - t);
}
const total = times.reduce((a, b) => a + b, 0);
console.log(spans.length, 'spans', ((spans.length / total) * 1000).toFixed(0), 'spans/s', 'cpu', process.cpuUsage());
await pool.end();
await server.stop();
await rm(dir, { recursive: true, force: true });
