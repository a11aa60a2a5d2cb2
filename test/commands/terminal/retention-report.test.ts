import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkRetention, reportRetention } from '#commands/terminal/retention-report';
import { createPostgresExporter } from '#postgres/exporter';
import type { HeldPartition, HoldingRun } from '#facts/pipeline-state';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const openRun = (runId: number, status: HoldingRun['status'] = 'awaiting_results'): HoldingRun => ({
  validatorId: 1,
  validatorHotkey: '5Validator',
  runId,
  status,
  isOverdue: false,
});
const partition = (name: string, since: string, ...runs: readonly HoldingRun[]): HeldPartition => ({
  name,
  expiredAt: Date.parse(since) * 1000,
  runs,
});

/** What is printed of these rounds. */
function printed(...rounds: Parameters<ReturnType<typeof reportRetention>>[0][]): readonly string[] {
  const lines: string[] = [];
  const report = reportRetention({ problem: (text) => lines.push(text) });
  for (const round of rounds) report(round);
  return lines;
}

describe('reportRetention', () => {
  const first = { dropped: [], held: [partition('steps_1', '2027-01-01T00:00:00Z', openRun(7))] };
  const second = { dropped: ['steps_0'], held: [] };
  const REASON =
    'Retention keeps what runs that have not ended still need: ' +
    'steps_1 since 2027-01-01 for run 7 of 5Validator (awaiting_results).';

  it('a round names what it dropped, and what it keeps with the reason', () => {
    expect(printed({ ...second, held: first.held })).toEqual([`Retention dropped steps_0.\n${REASON}`]);
  });

  it('a round that is equal to the one before is printed once, so a log does not repeat it for weeks', () => {
    expect(printed(first, first, second, first)).toEqual([REASON, 'Retention dropped steps_0.', REASON]);
  });

  it('the partition that is kept longest comes first, and three of its runs are named', () => {
    const held = [
      partition('steps_2', '2027-01-08T00:00:00Z', openRun(9, null)),
      partition('steps_1', '2027-01-01T00:00:00Z', ...[1, 2, 3, 4, 5].map((runId) => openRun(runId))),
    ];
    expect(printed({ dropped: [], held })).toEqual([
      'Retention keeps what runs that have not ended still need: ' +
        'steps_1 since 2027-01-01 for run 1 of 5Validator (awaiting_results), ' +
        'run 2 of 5Validator (awaiting_results), run 3 of 5Validator (awaiting_results), and 2 more, ' +
        'steps_2 since 2027-01-08 for run 9 of 5Validator (no status).',
    ]);
  });

  it('five partitions are named and the others counted, so that a line stays readable', () => {
    const names = Array.from({ length: 9 }, (_, index) => `steps_${index}`);
    const held = names.map((name) => partition(name, '2027-01-08T00:00:00Z', openRun(1)));
    const [text = ''] = printed({ dropped: [], held });
    expect(text.match(/steps_/g)).toHaveLength(5);
    expect(text).toMatch(/, and 4 more\.$/);
  });
});

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyTables(database.pool));
afterAll(() => database.drop());

const RETENTION = { weather_forecast_steps: 1 };
const check = (now: string, retention = RETENTION) =>
  checkRetention(database.pool, { retention, now: new Date(now) });

/** A run of the 23rd of November 2026, whose week ended on the 26th. */
const record = (status: string) =>
  createPostgresExporter({ pool: database.pool }).exportObserved([
    endedSpan({
      step: 'orchestration',
      miner: null,
      run: 7,
      attributes: { 'weather.run.status': status },
    }),
  ]);
const KEPT =
  'kept until their runs end: weather_forecast_steps_finished_20261119 since 2026-11-27 ' +
  'for run 7 of 5Validator (gfs_ready)';

describe('checkRetention', () => {
  it('a run that holds a partition is named and is usual while it is younger than any run lasts', async () => {
    await record('gfs_ready');
    expect(await check('2026-11-26T23:59:59Z')).toEqual({
      ok: true,
      found: 'no partition is kept for longer than BAROGRAPH_RETENTION_DAYS',
    });
    expect(await check('2026-11-27T00:00:00Z')).toEqual({ ok: true, found: KEPT });
    expect(await check('2027-01-07T18:00:00Z')).toEqual({ ok: true, found: KEPT });
  });

  it('a run that began more than 45 days ago fails the check, which says what to do', async () => {
    await record('gfs_ready');
    const { ok, found } = await check('2027-01-07T18:00:01Z');
    expect(ok).toBe(false);
    expect(found).toBe(
      `${KEPT}; run 7 of 5Validator (gfs_ready) began more than 45 days ago, longer than any run lasts: ` +
        'if nothing works on it any more, end it as "Retention" in docs/operating.md shows',
    );
  });

  it('a run that has ended holds nothing, and nothing is held without a retention', async () => {
    await record('completed');
    expect(await check('2027-06-01T00:00:00Z')).toMatchObject({
      ok: true,
      found: expect.stringMatching(/^no partition/) as string,
    });
    await record('gfs_ready');
    expect(await checkRetention(database.pool, { retention: {}, now: new Date() })).toEqual({
      ok: true,
      found: 'nothing is ever dropped; BAROGRAPH_RETENTION_DAYS is not set',
    });
  });
});
