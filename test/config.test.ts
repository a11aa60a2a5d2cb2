import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OWN_VARIABLES, readConfig } from '#src/config';
import { CategorizedError } from '#semconv';

/** The error of an environment. */
function refusalOf(environment: NodeJS.ProcessEnv): CategorizedError {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof CategorizedError) return error;
  }
  throw new Error('the environment was accepted');
}

describe('readConfig', () => {
  it('the configuration is complete without variables: an embedded database, and no export', () => {
    expect(readConfig({})).toEqual({
      databaseUrl: '',
      dataDirectory: '.barograph',
      spoolLimitBytes: 1024 * 1024 * 1024,
      spoolDurability: 'system',
      metricsHost: '127.0.0.1',
      metricsPort: 9464,
      validatorHotkey: null,
      hotkeyFile: null,
      delayFactor: null,
      concurrency: 8,
      shutdownSeconds: 30,
      ingestHost: '127.0.0.1',
      ingestPort: 4318,
      ingestGrpcPort: 4317,
      ingestToken: null,
      ingestTokensFile: null,
      retention: {},
      isSdkDisabled: false,
      serviceName: null,
      exportsTraces: false,
      spanLimits: [],
      sampler: 'parentbased_always_on',
      samplerArgument: null,
    });
  });

  it('an empty variable counts as absent, as shells and containers pass it', () => {
    const names = ['DATABASE_URL', 'BAROGRAPH_METRICS_PORT', 'BAROGRAPH_DELAY_FACTOR', 'OTEL_TRACES_SAMPLER'];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
  });

  it('every variable is read', () => {
    const config = readConfig({
      DATABASE_URL: 'postgres://host/db',
      BAROGRAPH_METRICS_PORT: '0',
      BAROGRAPH_DELAY_FACTOR: '1e-5',
      BAROGRAPH_CONCURRENCY: '512',
      OTEL_SERVICE_NAME: 'validator',
    });
    expect(config).toMatchObject({
      databaseUrl: 'postgres://host/db',
      metricsPort: 0,
      delayFactor: 1e-5,
      concurrency: 512,
      serviceName: 'validator',
    });
  });

  it.each([
    ['30', { weather_forecast_steps: 30, weather_forecast_component_scores: 30 }],
    ['weather_forecast_steps=30', { weather_forecast_steps: 30 }],
    [
      ' weather_forecast_component_scores = 90, weather_forecast_steps = 1 ',
      { weather_forecast_steps: 1, weather_forecast_component_scores: 90 },
    ],
  ])('BAROGRAPH_RETENTION_DAYS="%s" limits the named tables; the others are unlimited', (text, retention) => {
    expect(readConfig({ BAROGRAPH_RETENTION_DAYS: text }).retention).toEqual(retention);
  });

  it.each([
    '0',
    '-1',
    '1.5',
    'forever',
    '36501',
    'miner_stats=30',
    'weather_forecast_steps',
    'weather_forecast_steps=',
    'weather_forecast_steps=30=1',
    'weather_forecast_steps=30,',
    'weather_forecast_steps=30,weather_forecast_steps=40',
  ])('BAROGRAPH_RETENTION_DAYS="%s" is refused, because dropped rows cannot be restored', (text) => {
    const { message } = refusalOf({ BAROGRAPH_RETENTION_DAYS: text });
    expect(message).toBe(
      `BAROGRAPH_RETENTION_DAYS is "${text}"; allowed: a whole number of days from 1 to 36500, or one for each table, ` +
        'as in weather_forecast_steps=30,weather_forecast_component_scores=30. Correct it or leave it out.',
    );
  });

  it.each([
    ['0', 0],
    ['14317', 14_317],
    ['off', null],
    [' OFF ', null],
  ])('BAROGRAPH_INGEST_GRPC_PORT="%s" is the port %j', (text, ingestGrpcPort) => {
    expect(readConfig({ BAROGRAPH_INGEST_GRPC_PORT: text }).ingestGrpcPort).toBe(ingestGrpcPort);
  });

  it.each([
    ['TRUE', true],
    [' true ', true],
    ['1', false],
    ['false', false],
  ])('OTEL_SDK_DISABLED=%s is read as %s, as the standard defines', (text, isSdkDisabled) => {
    expect(readConfig({ OTEL_SDK_DISABLED: text }).isSdkDisabled).toBe(isSdkDisabled);
  });

  it('traces are exported when either endpoint is set, unless the exporter is none', () => {
    const endpoint = 'http://collector:4318';
    expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).exportsTraces).toBe(true);
    expect(readConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }).exportsTraces).toBe(true);
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'none' };
    expect(readConfig(off).exportsTraces).toBe(false);
  });

  it.each([
    ['BAROGRAPH_METRICS_PORT', '65536', 'a whole number from 0 to 65535'],
    ['BAROGRAPH_METRICS_PORT', '80.5', 'a whole number from 0 to 65535'],
    ['BAROGRAPH_METRICS_PORT', ' ', 'a whole number from 0 to 65535'],
    ['BAROGRAPH_INGEST_GRPC_PORT', '65536', 'a whole number from 0 to 65535, or "off"'],
    ['BAROGRAPH_INGEST_GRPC_PORT', 'none', 'a whole number from 0 to 65535, or "off"'],
    ['BAROGRAPH_DELAY_FACTOR', '0', 'a number above 0, at most 1'],
    ['BAROGRAPH_DELAY_FACTOR', 'fast', 'a number above 0, at most 1'],
    ['BAROGRAPH_CONCURRENCY', '0', 'a whole number from 1 to 512'],
    ['BAROGRAPH_SHUTDOWN_SECONDS', '-1', 'a whole number from 0 to 3600'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', 'an http or https URL'],
  ])('the value %s="%s" is refused with what is allowed', (name, value, allowed) => {
    const error = refusalOf({ [name]: value });
    expect(error.category).toBe('validator_internal');
    expect(error.message).toBe(`${name} is "${value}"; allowed: ${allowed}. Correct it or leave it out.`);
  });

  it.each([
    'http//weather:hunter2@collector:4318',
    'htp://weather:hunter2@collector',
    'https:weather:hun@ter2@collector:4318x',
    'collector:4318?api_key=hunter2',
    'Authorization=Bearer hunter2hunter2',
  ])('the password in the malformed endpoint %s is not repeated', (value) => {
    const { message } = refusalOf({ OTEL_EXPORTER_OTLP_ENDPOINT: value });
    expect(message).toContain('OTEL_EXPORTER_OTLP_ENDPOINT is "');
    expect(message).not.toMatch(/hunter2|ter2|weather/);
  });

  it('all wrong variables are named in one error', () => {
    const { message } = refusalOf({ BAROGRAPH_METRICS_PORT: 'x', BAROGRAPH_CONCURRENCY: 'y' });
    expect(message.split('\n')).toHaveLength(2);
  });

  it("each of Barograph's own variables has a description", () => {
    expect(OWN_VARIABLES.map(({ name }) => name)).toContain('DATABASE_URL');
    for (const { name, meaning } of OWN_VARIABLES) expect(meaning, name).not.toBe('');
  });

  it('every variable is in the table of docs/operating.md', () => {
    const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'operating.md'), 'utf8');
    const [, table = ''] = page.split('## Configuration');
    expect(OWN_VARIABLES.filter(({ name }) => !table.includes(`\`${name}\``))).toEqual([]);
  });
});
