import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { explain } from '#reports/explain';
import { readExplanation } from '#reports/explanation';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, MINER, T } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const instant = (ms: number): string => new Date(Number(T / 1_000_000n) + ms).toISOString();
const retry = (ms: number) => ({ 'weather.retry.next_time': instant(ms) });
const seeded = endedSpan({
  step: 'seed',
  attributes: { 'weather.forecast.status': 'seeded', 'weather.stage': 'init' },
});
const runEnds = (status: string, type: string, message: string): ObservedSpan =>
  endedSpan({
    step: 'orchestration',
    miner: null,
    at: 9000,
    attributes: {
      'weather.run.status': status,
      'weather.run.error_type': type,
      'weather.run.error_message': message,
    },
  });

/** The explanation of the forecast, and its row, after these spans. */
async function explainedAfter(...spans: readonly ObservedSpan[]) {
  await writeBatches(database.pool, [spans]);
  const explanation = await readExplanation(database.pool, {
    validatorHotkey: '5Validator',
    runId: 1,
    miner: MINER.hotkey,
  });
  if (explanation === null) throw new Error('There is no such forecast.');
  const rows = await queryRows(
    database.pool,
    'select forecast_status, last_error_type, last_error_fault, next_scheduled_retry from weather_forecast_stats',
  );
  return { explanation, rows, lines: explain(explanation).split('\n') };
}

describe('the explanation of a forecast that ended with its run', () => {
  it('without GFS it names the failure of the run and upstream, as the row does, and no retry', async () => {
    const noGfs = { type: 'truth_not_ready', message: 'The store does not have it yet.' } as const;
    const fetch = {
      step: 'seed',
      substep: 'gfs_download',
      miner: null,
      error: noGfs,
      maxAttempts: 6,
    } as const;
    const reason = `GFS could not be read (truth_not_ready): ${noGfs.message}`;
    const { explanation, rows, lines } = await explainedAfter(
      seeded,
      endedSpan({ ...fetch, attempt: 5, at: 100, status: 'retry_scheduled', attributes: retry(5000) }),
      endedSpan({ ...fetch, attempt: 6, at: 5000 }),
      runEnds('failed', 'truth_not_ready', reason),
    );
    expect(rows).toEqual([
      {
        forecast_status: 'failed',
        last_error_type: 'truth_not_ready',
        last_error_fault: 'upstream',
        next_scheduled_retry: null,
      },
    ]);
    expect(lines[0]).toContain(': failed, stage gfs_fetch; has no score.');
    expect(lines[1]).toBe(`The run ended failed: ${reason}`);
    expect(lines).toContain(
      `  day1: the run ended before the forecast did (failed): ${reason} Fault: upstream. No retry will come.`,
    );
    expectAlike(explanation, { error_type: 'truth_not_ready', fault: 'upstream', next_retry_time: null });
    expect(lines.join('\n')).not.toMatch(/tried again|Next try|still to come/);
  });

  it('abandoned while leads wait it names the reason of the run and the validator, as the row does, and no look', async () => {
    const reason = 'The user ended it before its time.';
    const wait = {
      step: 'era5',
      maxAttempts: 5,
      status: 'waiting_for_truth',
      attributes: retry(3_600_000),
    } as const;
    const { explanation, rows, lines } = await explainedAfter(
      seeded,
      endedSpan({ step: 'day1', lead: 12, at: 500, attributes: { 'weather.score.initial': 0.5 } }),
      ...[24, 48].map((lead) => endedSpan({ ...wait, lead, at: 1000 + lead })),
      runEnds('stale_abandoned', 'validator_internal', reason),
    );
    expect(rows).toEqual([
      {
        forecast_status: 'failed',
        last_error_type: 'validator_internal',
        last_error_fault: 'validator',
        next_scheduled_retry: null,
      },
    ]);
    expect(lines[0]).toContain(': failed, stage era5_scoring_24h; has the score 0.0500, no rank.');
    expect(lines).toContain(
      `  era5 24, 48 h: the run ended before the forecast did (stale_abandoned): ${reason} Fault: validator. No retry will come.`,
    );
    expectAlike(explanation, { error_type: 'validator_internal', fault: 'validator', next_retry_time: null });
    expect(lines.join('\n')).not.toMatch(/waits until|Looked for again|still to come/);
  });
});

type Explained = Awaited<ReturnType<typeof explainedAfter>>['explanation'];
const expectAlike = (
  { missing_scores: missing }: Explained,
  fields: Partial<Explained['missing_scores'][number]>,
): void => {
  expect(missing.length).toBeGreaterThan(0);
  for (const score of missing) expect(score).toMatchObject({ ...fields, retries_remaining: null });
};
