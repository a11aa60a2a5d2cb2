import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import { createPostgresExporter } from '#postgres/exporter';
import { toRanges } from '#spool/books/sequence-ranges';
import { accountOf, runOf } from '#test/support/accounts';
import { interceptPool } from '#test/support/intercepted-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

async function tell(...accounts: readonly EmitterAccount[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const account of accounts)
    expect(await exporter.exportObserved([], { account })).toEqual({ kind: 'written' });
}

async function rows(sql: string): Promise<readonly Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql)).rows;
}
const emitters = () =>
  rows(`select instance_id, last_sequence::int, delivered_sequence::int, received::text, dropped_sequences::text
    from emitters order by instance_id`);
const runs = () =>
  rows(
    `select run_id::int, started::int, spooled::int, dropped from emitter_runs order by validator_id, run_id`,
  );

/** What an emitter says as its records leave: with each account a few more of them. */
const accounts: fc.Arbitrary<readonly EmitterAccount[]> = fc
  .array(fc.record({ made: fc.nat(5), left: fc.nat(5), isLost: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((steps) => {
    let [last, delivered] = [0, 0];
    return steps.map(({ made, left, isLost }) => {
      last += made;
      const from = delivered + 1;
      delivered = Math.min(last, delivered + left);
      const numbers = Array.from({ length: delivered - from + 1 }, (_, index) => from + index);
      const counted = { received: isLost ? [] : toRanges(numbers), dropped: isLost ? toRanges(numbers) : [] };
      const run = runOf({ started: last, spooled: last - delivered, dropped: { spool_full: delivered } });
      return accountOf({ ...counted, lastSequence: last, deliveredSequence: delivered, runs: [run] });
    });
  });

describe('the books of an emitter', () => {
  it('the books of an emitter are the same for any order and repetition of what it said: the newest word, and all numbers', async () => {
    const disturbed = accounts.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
    );
    await fc.assert(
      fc.asyncProperty(disturbed, async ([all, again]) => {
        await emptyTables(database.pool);
        await tell(...all);
        const inOrder = { emitters: await emitters(), runs: await runs() };
        await emptyTables(database.pool);
        await tell(...again);
        expect({ emitters: await emitters(), runs: await runs() }).toEqual(inOrder);
        const { started, spooled, dropped } = all.at(-1)?.runs[0] ?? {};
        expect(inOrder.runs).toMatchObject([{ started, spooled, dropped }]);
      }),
      { numRuns: 40, seed: 20261127 },
    );
  });

  it('the books of an emitter keep the newest word when an older one comes late', async () => {
    const older = accountOf({
      lastSequence: 5,
      deliveredSequence: 2,
      runs: [runOf({ started: 5, spooled: 3 })],
    });
    const newer = accountOf({
      lastSequence: 5,
      deliveredSequence: 5,
      runs: [runOf({ started: 5, spooled: 0 })],
    });
    await tell(newer, older);
    expect(await runs()).toMatchObject([{ started: 5, spooled: 0 }]);
    expect(await emitters()).toMatchObject([{ last_sequence: 5, delivered_sequence: 5 }]);
  });

  it('the books of an emitter keep of a run what was said of it, when nothing more is', async () => {
    const first = accountOf({ lastSequence: 2, runs: [runOf({ started: 2 })] });
    await tell(first, accountOf({ lastSequence: 4, runs: [runOf({ runId: 2, started: 2 })] }));
    expect(await runs()).toMatchObject([
      { run_id: 1, started: 2 },
      { run_id: 2, started: 2 },
    ]);
  });

  it('the books of an emitter tell the same numbers of two processes, of two validators and of two runs apart', async () => {
    await tell(
      accountOf({ runs: [runOf({ started: 1 }), runOf({ runId: 2, started: 2 })] }),
      accountOf({ instanceId: 'instance-2', runs: [runOf({ started: 3 })] }),
      accountOf({ runs: [runOf({ validatorHotkey: '5Other', started: 4 })] }),
    );
    expect((await runs()).map(({ started }) => started).toSorted()).toEqual([1, 2, 3, 4]);
    expect(await rows('select hotkey from validators order by hotkey')).toEqual([
      { hotkey: '5Other' },
      { hotkey: '5Validator' },
    ]);
  });

  it('the books of an emitter are committed with the spans that they tell of, or not at all', async () => {
    const pool = interceptPool(database.pool, (text, run) =>
      text.includes('emitter_runs') ? Promise.reject(new Error('Connection terminated')) : run(),
    );
    const account = accountOf({ received: [[1, 1]], runs: [runOf({ started: 1 })] });
    const report = await createPostgresExporter({ pool }).exportObserved([endedSpan({ step: 'query' })], {
      account,
    });
    expect(report).toMatchObject({ kind: 'retryable' });
    expect(await rows('select from weather_forecast_steps')).toEqual([]);
    expect(await emitters()).toEqual([]);
  });
});

describe('a sign of life', () => {
  const life = () =>
    rows('select heartbeat_at is not null as lives, closed_at is not null as is_closed from emitters');

  it('a sign of life is what an emitter says itself; what its heir says is none', async () => {
    await tell(accountOf({ isOwn: false }));
    expect(await life()).toEqual([{ lives: false, is_closed: false }]);
    await tell(accountOf({}));
    expect(await life()).toEqual([{ lives: true, is_closed: false }]);
    await tell(accountOf({ isOwn: false, isClosed: true }));
    expect(await life(), 'it did live').toEqual([{ lives: true, is_closed: true }]);
  });

  it('a sign of life is told by the clock of the database, which it is compared by', async () => {
    await tell(accountOf({}));
    expect(await rows(`select now() - heartbeat_at between '0s' and '1min' as is_now from emitters`)).toEqual(
      [{ is_now: true }],
    );
  });

  it('a sign of life does not open again what was closed, nor close it later than it was', async () => {
    await tell(accountOf({ isClosed: true }));
    const [before] = await rows('select closed_at from emitters');
    await tell(accountOf({ isClosed: true }), accountOf({}));
    expect(await rows('select closed_at from emitters')).toEqual([before]);
  });
});
