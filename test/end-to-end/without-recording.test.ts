import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHORT_DELAYS } from '#test/support/short-delays';
import type { ValidationReport } from '#commands/run/validation-report';
import { startProgram } from '../commands/support/program.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { dumpTables } from '../support/tables.ts';
import { openOtlpEndpoint } from './support/otlp-endpoint.ts';

const ARGUMENTS = ['--once', '--miners', '2', '--seed', '1'];

/** The scores that the pipeline itself holds, of its newest run. */
async function scoresIn({ pool }: TestDatabase): Promise<readonly object[]> {
  const { rows } = await pool.query<object>(
    `select miner_uid, score_type, lead_hours, state, score from pipeline.leads
     where run_id = (select max(run_id) from pipeline.runs) order by miner_uid, score_type, lead_hours`,
  );
  return rows;
}

describe('a demonstration with OTEL_SDK_DISABLED=true', () => {
  let disabled: TestDatabase;
  let enabled: TestDatabase;
  beforeAll(async () => {
    [disabled, enabled] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  });
  afterAll(() => Promise.all([disabled.drop(), enabled.drop()]));

  it('a run without recording completes with the same scores and reports that nothing was recorded', async () => {
    const endpoint = await openOtlpEndpoint();
    const environment = { ...SHORT_DELAYS, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.url };
    const [without, recorded] = await Promise.all([
      startProgram('start-command', [...ARGUMENTS, '--json'], {
        ...environment,
        DATABASE_URL: disabled.connectionString,
        OTEL_SDK_DISABLED: 'true',
      }).ended,
      startProgram('start-command', [...ARGUMENTS, '--json'], {
        ...SHORT_DELAYS,
        DATABASE_URL: enabled.connectionString,
      }).ended,
    ]);
    expect(without).toMatchObject({ exitCode: 0, stderr: '' });
    expect(recorded).toMatchObject({ exitCode: 0, stderr: '' });
    const report = JSON.parse(without.stdout) as ValidationReport;
    expect(report).toMatchObject({ is_recorded: false, miners: [], run: { status: 'completed' } });
    expect(report.outcome.miners.completed).toBe(2);
    const scores = await scoresIn(disabled);
    expect(scores).toHaveLength(2 * 11);
    expect(scores).toEqual(await scoresIn(enabled));
    expect(Object.values(await dumpTables(disabled.pool)).flat()).toEqual([]);
    expect(endpoint.spans).toEqual([]);
    await endpoint.close();
  });

  it('the text output states that nothing was recorded, and why', async () => {
    const { exitCode, stdout } = await startProgram('start-command', ARGUMENTS, {
      ...SHORT_DELAYS,
      DATABASE_URL: disabled.connectionString,
      OTEL_SDK_DISABLED: 'true',
    }).ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('completed · miners: 2 completed, 0 failed');
    expect(stdout).toContain(
      'Nothing of it was recorded, because OTEL_SDK_DISABLED is true: unset it to record.',
    );
  });
});
