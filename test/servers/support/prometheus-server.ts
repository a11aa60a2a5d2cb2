import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { JOB } from '#dashboards/rules/promql';
import { findFreePort, LOOPBACK } from '#database/embedded/free-port';

const READY_MILLIS = 30_000;

/** A series of an answer, with its labels; how many values it has in the range. */
export interface AnsweredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** A rule as Prometheus holds it. */
export interface LoadedRule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string | undefined;
  /** As text of ISO 8601. */
  readonly lastEvaluation: string;
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A private Prometheus, on a port that the kernel chose. */
export interface PrometheusServer {
  /** Evaluates now. @throws Error with the message of Prometheus */
  readonly query: (expression: string) => Promise<readonly AnsweredSeries[]>;
  /** Evaluates at every second between two instants, in seconds. @throws Error as above */
  readonly queryRange: (expression: string, range: TimeRange) => Promise<readonly AnsweredSeries[]>;
  /** Labels of the exemplars of a selector. */
  readonly exemplars: (
    selector: string,
    range: TimeRange,
  ) => Promise<readonly Readonly<Record<string, string>>[]>;
  readonly rules: () => Promise<readonly LoadedRule[]>;
  readonly alerts: () => Promise<readonly ActiveAlert[]>;
  readonly close: () => Promise<void>;
}

/** Seconds since 1970-01-01T00:00:00Z. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

const labels = z.record(z.string(), z.string());
const sample = z.tuple([z.number(), z.string()]);
const resultSchema = z.object({
  result: z.array(z.object({ metric: labels, value: sample.optional(), values: z.array(sample).optional() })),
});
const exemplarsSchema = z.array(z.object({ exemplars: z.array(z.object({ labels })) }));
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          name: z.string(),
          type: z.enum(['alerting', 'recording']),
          health: z.enum(['ok', 'err', 'unknown']),
          lastError: z.string().optional(),
          lastEvaluation: z.string(),
        }),
      ),
    }),
  ),
});
const alertsSchema = z.object({
  alerts: z.array(z.object({ labels, annotations: labels, state: z.enum(['pending', 'firing']) })),
});

/** Starts Prometheus with exemplar storage, scraping one process twice a second; ready when this resolves. */
export async function startPrometheus(options: {
  readonly target: string;
  readonly ruleFiles: readonly string[];
}): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-prometheus-'));
  const configuration = join(folder, 'prometheus.yml');
  await writeFile(
    configuration,
    stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
      rule_files: options.ruleFiles,
      scrape_configs: [{ job_name: JOB, static_configs: [{ targets: [options.target] }] }],
    }),
  );
  const address = `${LOOPBACK}:${await findFreePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const close = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(child, `http://${address}/-/ready`);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...createClient(`http://${address}/api/v1`), close };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  let errorOutput = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${errorOutput}`);
      if (!(await fetch(url)).ok) throw new Error(`Prometheus does not get ready: ${errorOutput}`);
    },
    { timeout: READY_MILLIS, interval: 100 },
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

function createClient(base: string): Omit<PrometheusServer, 'close'> {
  const get = async (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const body = new URLSearchParams(parameters);
    const reply = await fetch(`${base}/${path}?${body.toString()}`);
    const answer = (await reply.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== 'success')
      throw new Error(`${answer.error ?? reply.statusText}: ${body.toString()}`);
    return answer.data;
  };
  const toSeries = (data: unknown): readonly AnsweredSeries[] => {
    const { result } = resultSchema.parse(data);
    return result.map(({ metric, value, values }) => ({
      labels: metric,
      values: (values ?? (value === undefined ? [] : [value])).map(([, text]) => Number(text)),
    }));
  };
  const rangeOf = ({ start, end }: TimeRange) => ({ start: String(start), end: String(end) });
  return {
    query: async (query) => toSeries(await get('query', { query })),
    queryRange: async (query, range) =>
      toSeries(await get('query_range', { query, step: '1', ...rangeOf(range) })),
    exemplars: async (query, range) =>
      exemplarsSchema
        .parse(await get('query_exemplars', { query, ...rangeOf(range) }))
        .flatMap(({ exemplars }) => exemplars.map((exemplar) => exemplar.labels)),
    rules: async () => rulesSchema.parse(await get('rules')).groups.flatMap(({ rules }) => rules),
    alerts: async () => alertsSchema.parse(await get('alerts')).alerts,
  };
}
