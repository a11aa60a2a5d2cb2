import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startRecording } from '#recorder/recording';
import { startRecorderProcess } from '../faults/support/recorder-process.ts';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { testConfig } from './support/demonstration.ts';
import { openOtlpEndpoint, type OtlpEndpoint } from './support/otlp-endpoint.ts';

let database: TestDatabase;
let endpoint: OtlpEndpoint;
const DIRECTORY = 'crash';

/** A process dies in the middle of its steps; the next one on this machine starts, and ends. */
beforeAll(async () => {
  [database, endpoint] = await Promise.all([createTestDatabase(), openOtlpEndpoint()]);
  const dataDirectory = join(testDataDirectory(), DIRECTORY);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint.url);
  const dying = startRecorderProcess({
    databaseUrl: database.connectionString,
    dataDirectory,
    seed: 1,
    inFlight: 4,
    commandedInFlight: 0,
    // Two steps at a time go on for as long as the process lives.
    stepMillis: 3_600_000,
    spoolLimitMib: 16,
  });
  await dying.started;
  await vi.waitUntil(async () => (await countRunning()) === 8, { timeout: 20_000 });
  await dying.kill('SIGKILL');
  const recording = await startRecording({
    traces: true,
    config: testConfig(database.connectionString, {
      BAROGRAPH_DATA_DIR: dataDirectory,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.url,
    }),
    validatorHotkey: '5Validator',
    onProblem: () => undefined,
  });
  expect(await recording.adopted).toMatchObject({ spools: 1, closedSteps: 8 });
  await recording.close();
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await endpoint.close();
  await database.drop();
});

async function countRunning(): Promise<number> {
  const { rows } = await database.pool.query('select from weather_forecast_steps_running');
  return rows.length;
}

describe('steps of a dead process', () => {
  it('steps of a dead process are closed at the next start as abandoned with process_crash', async () => {
    const { rows } = await database.pool.query(
      `select status, error_type, latency_ms, count(*)::int as steps from weather_forecast_steps group by 1, 2, 3`,
    );
    expect(rows).toEqual([{ status: 'abandoned', error_type: 'process_crash', latency_ms: null, steps: 8 }]);
  });

  it('forecasts of abandoned steps are in error with a readable reason', async () => {
    const { rows } = await database.pool.query(
      'select distinct current_forecast_status, last_error_message from weather_forecast_stats',
    );
    expect(rows).toEqual([
      { current_forecast_status: 'error', last_error_message: 'the process ended while the step ran' },
    ]);
  });

  it('an abandoned step has a span in the trace with its original ids, marked as synthetic', async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      `select trace_id || ' ' || span_id as id from weather_forecast_steps order by 1`,
    );
    const closings = endpoint.spans.filter(
      ({ attributes }) => attributes['weather.closing.reason'] === 'process_crash',
    );
    expect(closings.map(({ traceId, spanId }) => `${traceId} ${spanId}`).toSorted()).toEqual(
      rows.map(({ id }) => id),
    );
    expect(new Set(closings.map(({ resource }) => resource['service.instance.id'])).size).toBe(1);
  });
});
