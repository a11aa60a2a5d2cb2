import { z } from 'zod';
import { CategorizedError } from './semconv/index.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const factor = z.coerce.number().positive().max(1);

/** Every variable of our own, with what it means; `OTEL_*` are read by OpenTelemetry itself. */
const ENVIRONMENT = z.object({
  DATABASE_URL: z
    .string()
    .default('')
    .describe('PostgreSQL 15 or newer; empty: an embedded one in the data directory'),
  BAROGRAPH_DATA_DIR: z.string().min(1).default('.barograph').describe('Where the embedded database lives'),
  BAROGRAPH_METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('Address that /metrics listens on'),
  BAROGRAPH_METRICS_PORT: port
    .default(9464)
    .describe('Port of /metrics, /healthz and /readyz; 0: any free one'),
  BAROGRAPH_VALIDATOR_HOTKEY: z.string().min(1).optional().describe('Identity of this validator'),
  BAROGRAPH_DELAY_FACTOR: factor
    .optional()
    .describe('Multiplies every wait and retry of the pipeline; 1 unless miners are simulated'),
  BAROGRAPH_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(512)
    .default(8)
    .describe('Jobs that one process works on at once'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_TRACES_SAMPLER: z.string().optional(),
  OTEL_TRACES_SAMPLER_ARG: z.string().optional(),
});

/** The configuration of a process, parsed once. */
export interface Config {
  readonly databaseUrl: string;
  readonly dataDirectory: string;
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly validatorHotkey: string | null;
  /** Null when it is not set: real miners are then waited for in real time. */
  readonly delayFactor: number | null;
  readonly concurrency: number;
  /** Whether an OTLP endpoint is set: without one nothing is sent anywhere. */
  readonly exportsTraces: boolean;
  readonly sampler: string;
  readonly samplerArgument: string | null;
}

/** The variables of our own with default and meaning, for the documents. */
export const OWN_VARIABLES = Object.entries(ENVIRONMENT.shape)
  .filter(([name]) => !name.startsWith('OTEL_'))
  .map(([name, schema]) => ({ name, meaning: schema.description ?? '', schema }));

/**
 * Reads the configuration from environment variables; an empty variable counts as absent.
 *
 * @throws CategorizedError that names each wrong variable, what it holds and what is allowed.
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = ENVIRONMENT.safeParse(given);
  if (!parsed.success) throw wrongVariables(parsed.error, given);
  const values = parsed.data;
  return {
    databaseUrl: values.DATABASE_URL,
    dataDirectory: values.BAROGRAPH_DATA_DIR,
    metricsHost: values.BAROGRAPH_METRICS_HOST,
    metricsPort: values.BAROGRAPH_METRICS_PORT,
    validatorHotkey: values.BAROGRAPH_VALIDATOR_HOTKEY ?? null,
    delayFactor: values.BAROGRAPH_DELAY_FACTOR ?? null,
    concurrency: values.BAROGRAPH_CONCURRENCY,
    exportsTraces:
      (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined,
    sampler: values.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on',
    samplerArgument: values.OTEL_TRACES_SAMPLER_ARG ?? null,
  };
}

function wrongVariables(error: z.ZodError, given: NodeJS.ProcessEnv): CategorizedError {
  const lines = error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = name === 'DATABASE_URL' ? 'what was given' : `"${given[name] ?? ''}"`;
    return `${name} is ${value}: ${issue.message}. Correct it or leave it out.`;
  });
  return new CategorizedError('validator_internal', lines.join('\n'));
}
