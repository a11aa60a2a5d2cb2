import { z } from 'zod';
import { printableText } from './semconv/printable-text.ts';
import { hideSecretValues } from './semconv/secret-values.ts';
import { CategorizedError, LOG_TABLES, type LogTable, type Retention } from './semconv/index.ts';

/** Parses a number from text; `allowed` is the error message. */
const number = (allowed: string, isAllowed: (value: number) => boolean) =>
  z
    .string()
    .transform((text) => (text.trim() === '' ? Number.NaN : Number(text)))
    .refine(isAllowed, { error: allowed });
const wholeNumber = (from: number, to: number) =>
  number(
    `a whole number from ${from} to ${to}`,
    (value) => Number.isInteger(value) && value >= from && value <= to,
  );
const port = wholeNumber(0, 65_535);
/** The word for a port that is not opened. */
const OFF = 'off';
/** Checked here, because the exporter silently falls back to its default endpoint when it cannot parse one. */
const endpoint = z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional();

const MAX_RETENTION_DAYS = 36_500;
const days = wholeNumber(1, MAX_RETENTION_DAYS);
const RETENTION = `a whole number of days from 1 to ${MAX_RETENTION_DAYS}, or one for each table, as in ${LOG_TABLES.map((table) => `${table}=30`).join(',')}`;
const isLogTable = (name: string): name is LogTable => (LOG_TABLES as readonly string[]).includes(name);

/** Parses a port; null for `off`, undefined for anything else. */
export function parsePortOrOff(text: string): number | null | undefined {
  return text.trim().toLowerCase() === OFF ? null : port.safeParse(text).data;
}

/** Parses `30`, or `table=30` pairs separated by commas, in days; null when it is neither. */
function parseRetention(text: string): Retention | null {
  const forAll = days.safeParse(text);
  if (forAll.success) return Object.fromEntries(LOG_TABLES.map((table) => [table, forAll.data]));
  const parts = text.split(',').map((part) => part.split('=').map((side) => side.trim()));
  const entries = parts.flatMap(([table = '', number = '', ...rest]) => {
    const parsed = days.safeParse(number);
    return parsed.success && isLogTable(table) && rest.length === 0 ? [[table, parsed.data] as const] : [];
  });
  const retention = Object.fromEntries(entries);
  return Object.keys(retention).length === parts.length ? retention : null;
}

/** Every variable that Barograph reads, with its meaning; OpenTelemetry reads the other `OTEL_*` itself. */
const ENVIRONMENT = z.object({
  DATABASE_URL: z
    .string()
    .default('')
    .describe('PostgreSQL 15 or newer; empty: an embedded one in the data directory'),
  BAROGRAPH_DATA_DIR: z
    .string()
    .default('.barograph')
    .describe('Directory of the embedded database and the spools'),
  BAROGRAPH_SPOOL_LIMIT_MIB: wholeNumber(1, 1_048_576)
    .default(1024)
    .describe('Largest size of the spool of one process while the database is away, MiB'),
  BAROGRAPH_SPOOL_DURABILITY: z
    .enum(['system', 'disk'], { error: '"system" or "disk"' })
    .default('system')
    .describe('Records survive the death of the process (system), or of the machine too, more slowly (disk)'),
  BAROGRAPH_METRICS_HOST: z.string().default('127.0.0.1').describe('Address that /metrics listens on'),
  BAROGRAPH_METRICS_PORT: port
    .default(9464)
    .describe('Port of /metrics, /healthz and /readyz; 0: any free one'),
  BAROGRAPH_VALIDATOR_HOTKEY: z.string().optional().describe('Identity of this validator'),
  BAROGRAPH_HOTKEY_FILE: z
    .string()
    .optional()
    .describe('Key file of the hotkey that signs requests to miners, for --transport fiber'),
  BAROGRAPH_DELAY_FACTOR: number('a number above 0, at most 1', (value) => value > 0 && value <= 1)
    .optional()
    .describe('Multiplies every wait and retry of the pipeline; 1 unless miners are simulated'),
  BAROGRAPH_CONCURRENCY: wholeNumber(1, 512).default(8).describe('Jobs that one process works on at once'),
  BAROGRAPH_SHUTDOWN_SECONDS: wholeNumber(0, 3600)
    .default(30)
    .describe('How long a process that ends waits for running steps; other workers repeat the rest'),
  BAROGRAPH_INGEST_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address that receives spans of other programs'),
  BAROGRAPH_INGEST_PORT: port
    .default(4318)
    .describe('Port that receives spans of other programs; 0: any free one'),
  BAROGRAPH_INGEST_GRPC_PORT: z
    .string()
    .refine((text) => parsePortOrOff(text) !== undefined, {
      error: `a whole number from 0 to 65535, or "${OFF}"`,
    })
    .default('4317')
    .describe('Port that receives spans of other programs over gRPC; 0: any free one, off: none'),
  BAROGRAPH_INGEST_TOKEN: z
    .string()
    .optional()
    .describe('Bearer token that senders must send; required beyond the loopback address'),
  BAROGRAPH_INGEST_TOKENS_FILE: z
    .string()
    .optional()
    .describe(
      'File of further tokens: on each line one, and the hotkeys of the validators whose spans it may send, between spaces',
    ),
  BAROGRAPH_RETENTION_DAYS: z
    .string()
    .refine((text) => parseRetention(text) !== null, { error: RETENTION })
    .optional()
    .describe(
      'Retention of the log in days, for both of its tables or for each, and until its runs end; unset: unlimited',
    ),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_TRACES_SAMPLER: z.string().default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z.string().optional(),
});

/** What OpenTelemetry's SDKs cut spans by: a dropped event would be a lost score, a cut hotkey another miner's. */
const SPAN_LIMITS = [
  'OTEL_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_EVENT_COUNT_LIMIT',
];

/** The configuration of a process, parsed once. */
export interface Config {
  readonly databaseUrl: string;
  readonly dataDirectory: string;
  readonly spoolLimitBytes: number;
  /** What records survive: a crash of the process (`system`), or of the machine too (`disk`, by fsync). */
  readonly spoolDurability: 'system' | 'disk';
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly validatorHotkey: string | null;
  /** Null when no requests are signed, or when `--hotkey-file` names it. */
  readonly hotkeyFile: string | null;
  /** Null when it is not set: the pipeline then waits for real miners in real time. */
  readonly delayFactor: number | null;
  readonly concurrency: number;
  /** How long the process waits for running steps when it ends, seconds. */
  readonly shutdownSeconds: number;
  readonly ingestHost: string;
  readonly ingestPort: number;
  /** Null when OTLP over gRPC is off. */
  readonly ingestGrpcPort: number | null;
  /** A secret. Null when senders need no token. */
  readonly ingestToken: string | null;
  /** Null when no tokens are bound to validators. */
  readonly ingestTokensFile: string | null;
  /** Empty when nothing is ever dropped. */
  readonly retention: Retention;
  /** `OTEL_SDK_DISABLED`: steps are plain calls, and nothing is recorded. */
  readonly isSdkDisabled: boolean;
  /** Null when it is not set: then `OTEL_RESOURCE_ATTRIBUTES` names the service, or it is `barograph`. */
  readonly serviceName: string | null;
  /** Whether an OTLP endpoint is set; without one no traces are exported. */
  readonly exportsTraces: boolean;
  /** Limits of OpenTelemetry that are set, as `NAME=value`. They do not apply to what is recorded. */
  readonly spanLimits: readonly string[];
  readonly sampler: string;
  readonly samplerArgument: string | null;
}

/** Barograph's own variables with default and meaning, for the docs. */
export const OWN_VARIABLES = Object.entries(ENVIRONMENT.shape)
  .filter(([name]) => !name.startsWith('OTEL_'))
  .map(([name, schema]) => ({ name, meaning: schema.description ?? '', schema }));

/**
 * Reads the configuration from environment variables; an empty variable counts as absent.
 *
 * @throws CategorizedError that names each wrong variable, its value without secrets and what is allowed
 *
 * @example
 * ```ts
 * import { readConfig } from 'barograph';
 *
 * const config = readConfig({ ...process.env, BAROGRAPH_METRICS_PORT: '0' });
 * ```
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = ENVIRONMENT.safeParse(given);
  if (!parsed.success) throw wrongVariables(parsed.error, given);
  const values = parsed.data;
  return {
    databaseUrl: values.DATABASE_URL,
    dataDirectory: values.BAROGRAPH_DATA_DIR,
    spoolLimitBytes: values.BAROGRAPH_SPOOL_LIMIT_MIB * 1024 * 1024,
    spoolDurability: values.BAROGRAPH_SPOOL_DURABILITY,
    metricsHost: values.BAROGRAPH_METRICS_HOST,
    metricsPort: values.BAROGRAPH_METRICS_PORT,
    validatorHotkey: values.BAROGRAPH_VALIDATOR_HOTKEY ?? null,
    hotkeyFile: values.BAROGRAPH_HOTKEY_FILE ?? null,
    delayFactor: values.BAROGRAPH_DELAY_FACTOR ?? null,
    concurrency: values.BAROGRAPH_CONCURRENCY,
    shutdownSeconds: values.BAROGRAPH_SHUTDOWN_SECONDS,
    ingestHost: values.BAROGRAPH_INGEST_HOST,
    ingestPort: values.BAROGRAPH_INGEST_PORT,
    ingestGrpcPort: parsePortOrOff(values.BAROGRAPH_INGEST_GRPC_PORT) ?? null,
    ingestToken: values.BAROGRAPH_INGEST_TOKEN ?? null,
    ingestTokensFile: values.BAROGRAPH_INGEST_TOKENS_FILE ?? null,
    retention: parseRetention(values.BAROGRAPH_RETENTION_DAYS ?? '') ?? {},
    isSdkDisabled: values.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true',
    serviceName: values.OTEL_SERVICE_NAME ?? null,
    exportsTraces: hasEndpoint(values) && values.OTEL_TRACES_EXPORTER !== 'none',
    spanLimits: SPAN_LIMITS.filter((name) => name in given).map((name) => `${name}=${given[name] ?? ''}`),
    sampler: values.OTEL_TRACES_SAMPLER,
    samplerArgument: values.OTEL_TRACES_SAMPLER_ARG ?? null,
  };
}

const hasEndpoint = (values: z.output<typeof ENVIRONMENT>): boolean =>
  (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined;

/** A URL that cannot be parsed may hold a password anywhere before its last `@`. */
const withoutSecrets = (value: string): string =>
  printableText(hideSecretValues(value.replace(/^.*@/s, '[secret]@')));

/** What the limits of OpenTelemetry that are set cut, and what they do not. */
export const describeSpanLimits = ({ spanLimits }: Pick<Config, 'spanLimits'>): string =>
  `${spanLimits.join(', ')}: steps are recorded whole in spite of it. It cuts those of an SDK that sends its spans ` +
  'here or has our span processor: unset it there, or give that SDK limits of its own';

function wrongVariables(error: z.ZodError, given: NodeJS.ProcessEnv): CategorizedError {
  const lines = error.issues.map(({ path: [variable], message }) => {
    const name = String(variable);
    return `${name} is "${withoutSecrets(given[name] ?? '')}"; allowed: ${message}. Correct it or leave it out.`;
  });
  return new CategorizedError('validator_internal', lines.join('\n'));
}
