import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createPostgresExporter } from '../exporters/postgres/exporter.ts';
import { startEmbeddedPostgres } from '../src/database/embedded.ts';
import { createDatabasePool } from '../src/database/connect.ts';
import { migrate } from '../src/database/migrate.ts';
import { minerRun } from './miner-run.ts';

const spent = new Map<string, [number, number]>();
type AnyQuery = (this: unknown, ...args: unknown[]) => unknown;
const original = pg.Client.prototype.query as unknown as AnyQuery;
(pg.Client.prototype as unknown as { query: AnyQuery }).query = function (...args) {
  const text = typeof args[0] === 'string' ? args[0].replaceAll(/\s+/g, ' ').slice(0, 70) : 'COPY';
  const t = performance.now();
  const result = original.apply(this, args);
  const done = (): void => {
    const [n, ms] = spent.get(text) ?? [0, 0];
    spent.set(text, [n + 1, ms + performance.now() - t]);
  };
  if (result instanceof Promise) void result.then(done, done);
  else (result as { once(e: string, f: () => void): void }).once('finish', done);
  return result;
};
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
const cpu = process.cpuUsage();
spent.clear();
for (let at = 0; at < spans.length; at += SIZE) {
  const t = performance.now();
  const report = await exporter.exportObserved(spans.slice(at, at + SIZE));
  if (report.kind !== 'written') throw report.error;
  times.push(performance.now() - t);
}
const total = times.reduce((a, b) => a + b, 0);
const used = process.cpuUsage(cpu);
for (const [text, [n, ms]] of [...spent].sort((a, b) => b[1][1] - a[1][1]).slice(0, 22)) console.log(String(n).padStart(5), ms.toFixed(0).padStart(7), 'ms', text);
console.log(spans.length, 'spans', ((spans.length / total) * 1000).toFixed(0), 'spans/s', 'cpu us/span', ((used.user + used.system) / spans.length).toFixed(1));
await pool.end();
await server.stop();
await rm(dir, { recursive: true, force: true });
