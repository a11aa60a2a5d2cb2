import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { findFreePort, LOOPBACK } from '#database/embedded/free-port';

/** A series with its samples: instants in milliseconds, and values. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [at: number, value: number])[];
}

/** A Prometheus that watches one process. */
export interface Prometheus {
  readonly query: (expression: string, at: Date) => Promise<readonly Series[]>;
  readonly queryRange: (
    expression: string,
    range: { readonly from: Date; readonly to: Date },
  ) => Promise<readonly Series[]>;
  readonly close: () => Promise<void>;
}

/** How often a process is scraped and a line has a point, seconds: a recording lasts minutes, not days. */
export const SCRAPE_SECONDS = 1;
const READY_TRIES = 300;

const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: sample.optional(),
        values: z.array(sample).optional(),
      }),
    ),
  }),
});

/** Starts the Prometheus of this machine on a free port, its files in the folder. */
export async function startPrometheus(folder: string, target: string): Promise<Prometheus> {
  const configuration = join(folder, 'prometheus.yml');
  const every = `${SCRAPE_SECONDS}s`;
  await writeFile(
    configuration,
    stringify({
      global: { scrape_interval: every, scrape_timeout: every },
      scrape_configs: [{ job_name: 'barograph', static_configs: [{ targets: [target] }] }],
    }),
  );
  const address = `${LOOPBACK}:${await findFreePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
  await Promise.race([untilReady(address), ended.then(() => Promise.reject(new Error('Prometheus ended')))]);
  return { ...queriesOf(address), close: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}

async function untilReady(address: string): Promise<void> {
  for (let tries = 0; tries < READY_TRIES; tries += 1) {
    const isReady = await fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  throw new Error('Prometheus does not get ready');
}

function queriesOf(address: string): Omit<Prometheus, 'close'> {
  const get = async (path: string, parameters: Readonly<Record<string, string>>) => {
    const reply = await fetch(
      `http://${address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
    );
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${parameters['query'] ?? ''}: ${text}`);
    return answerSchema.parse(JSON.parse(text)).data.result.map(({ metric, value, values }) => ({
      labels: metric,
      samples: (values ?? (value ? [value] : [])).map(([at, number]) => [at * 1000, Number(number)] as const),
    }));
  };
  const seconds = (at: Date) => String(at.getTime() / 1000);
  return {
    query: (query, at) => get('query', { query, time: seconds(at) }),
    queryRange: (query, { from, to }) =>
      get('query_range', { query, start: seconds(from), end: seconds(to), step: String(SCRAPE_SECONDS) }),
  };
}
