import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import { createPostgresExporter } from '#postgres/exporter';
import { toRanges } from '#spool/books/sequence-ranges';
import { accountOf, runOf } from '#test/support/accounts';
import { interceptPool } from '#test/support/intercepted-pool';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

async function writeAccounts(...accounts: readonly EmitterAccount[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const account of accounts)
    expect(await exporter.exportObserved([], { account })).toEqual({ kind: 'written' });
}

const rows = (sql: string) => queryRows(database.pool, sql);
const emitters = () =>
  rows(`select instance_id, last_sequence::int, delivered_sequence::int, received::text, dropped_sequences::text
    from emitters order by instance_id`);
const runs = () =>
  rows(
    `select run_id::int, started::int, spooled::int, dropped from emitter_runs order by validator_id, run_id`,
  );

/** Successive accounts of an emitter, each with a few more records delivered. */
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
      const ranges = { received: isLost ? [] : toRanges(numbers), dropped: isLost ? toRanges(numbers) : [] };
      const run = runOf({ started: last, spooled: last - delivered, dropped: { spool_full: delivered } });
      return accountOf({ ...ranges, lastSequence: last, deliveredSequence: delivered, runs: [run] });
    });
  });

describe('writeBooks', () => {
  it('the books do not depend on the order and repetition of the accounts of an emitter', async () => {
    const disturbed = accounts.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
    );
    await fc.assert(
      fc.asyncProperty(disturbed, async ([all, again]) => {
        await emptyTables(database.pool);
        await writeAccounts(...all);
        const inOrder = { emitters: await emitters(), runs: await runs() };
        await emptyTables(database.pool);
        await writeAccounts(...again);
        expect({ emitters: await emitters(), runs: await runs() }).toEqual(inOrder);
        const { started, spooled, dropped } = all.at(-1)?.runs[0] ?? {};
        expect(inOrder.runs).toMatchObject([{ started, spooled, dropped }]);
      }),
      { numRuns: 40, seed: 20261127 },
    );
  });

  it('the newest account of a run stays when an older one arrives late', async () => {
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
    await writeAccounts(newer, older);
    expect(await runs()).toMatchObject([{ started: 5, spooled: 0 }]);
    expect(await emitters()).toMatchObject([{ last_sequence: 5, delivered_sequence: 5 }]);
  });

  it('the account of a run stays when later accounts do not mention the run', async () => {
    const first = accountOf({ lastSequence: 2, runs: [runOf({ started: 2 })] });
    await writeAccounts(first, accountOf({ lastSequence: 4, runs: [runOf({ runId: 2, started: 2 })] }));
    expect(await runs()).toMatchObject([
      { run_id: 1, started: 2 },
      { run_id: 2, started: 2 },
    ]);
  });

  it('equal numbers of two processes, two validators or two runs are kept apart', async () => {
    await writeAccounts(
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

  it('the books are committed with the spans of their batch or not at all', async () => {
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

describe('emitter heartbeat', () => {
  const lifecycle = () =>
    rows('select heartbeat_at is not null as lives, closed_at is not null as is_closed from emitters');

  it('a heartbeat is recorded for the own account of an emitter, not for that of an adopter', async () => {
    await writeAccounts(accountOf({ isOwn: false }));
    expect(await lifecycle()).toEqual([{ lives: false, is_closed: false }]);
    await writeAccounts(accountOf({}));
    expect(await lifecycle()).toEqual([{ lives: true, is_closed: false }]);
    await writeAccounts(accountOf({ isOwn: false, isClosed: true }));
    expect(await lifecycle(), 'its last heartbeat stays').toEqual([{ lives: true, is_closed: true }]);
  });

  it('a heartbeat has the time of the database clock', async () => {
    await writeAccounts(accountOf({}));
    expect(await rows(`select now() - heartbeat_at between '0s' and '1min' as is_now from emitters`)).toEqual(
      [{ is_now: true }],
    );
  });

  it('a closed emitter is neither reopened nor closed at a later time', async () => {
    await writeAccounts(accountOf({ isClosed: true }));
    const [before] = await rows('select closed_at from emitters');
    await writeAccounts(accountOf({ isClosed: true }), accountOf({}));
    expect(await rows('select closed_at from emitters')).toEqual([before]);
  });
});
