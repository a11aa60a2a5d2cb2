import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import { closingSpan } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import { createPostgresExporter } from '#postgres/exporter';
import { toRanges } from '#spool/books/sequence-ranges';
import { accountOf, runOf } from '#test/support/accounts';
import { interceptPool } from '#test/support/intercepted-pool';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan } from '#test/support/spans';
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

describe('an emitter that shares its id or contradicts itself', () => {
  const spanAt = (at: number) => endedSpan({ step: 'query', at });
  const conflicts = () =>
    rows(
      `select missing::text, reused::text, beyond::text, conflict from emitter_books order by instance_id`,
    );
  const RIGHT = { missing: '{}', reused: '{}', beyond: '{}', conflict: null };
  /** Exports spans of these instants as the records with these numbers. */
  async function deliver(
    instants: readonly number[],
    numbers: readonly number[],
    more: Partial<EmitterAccount> = {},
  ): Promise<void> {
    const last = Math.max(0, ...numbers);
    const received = toRanges(numbers.toSorted((a, b) => a - b));
    const account = accountOf({ received, lastSequence: last, deliveredSequence: last, ...more });
    const report = await createPostgresExporter({ pool: database.pool }).exportObserved(
      instants.map(spanAt),
      { account },
    );
    expect(report).toEqual({ kind: 'written' });
  }

  it('numbers that arrive again with other spans are named, so that a merged set does not look complete', async () => {
    await deliver([1, 2, 3], [1, 2, 3]);
    expect(await conflicts()).toEqual([RIGHT]);
    await deliver([101, 102], [1, 2]);
    expect(await conflicts()).toEqual([
      {
        ...RIGHT,
        reused: '{[1,3)}',
        conflict: 'the numbers {[1,3)} arrived again with other spans',
      },
    ]);
  });

  it('one span more than new numbers is enough, among records that are new or were redelivered', async () => {
    await deliver([1, 2], [1, 2]);
    await deliver([2, 3, 101], [1, 2, 3]);
    expect(await conflicts()).toMatchObject([{ reused: '{[1,3)}' }]);
  });

  it('records that are delivered again, a start before its end, dead letters and closings are no conflict', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const write = async (spans: readonly ObservedSpan[], numbers: readonly number[]) => {
      const account = accountOf({ received: toRanges(numbers), lastSequence: 9, deliveredSequence: 0 });
      expect(await exporter.exportObserved(spans, { account })).toEqual({ kind: 'written' });
    };
    const foreign = { ...spanAt(5), attributes: {} };
    await write([startOfSpan(spanAt(1)), spanAt(2), foreign], [1, 2, 4]);
    await write([startOfSpan(spanAt(1)), spanAt(2), spanAt(1), foreign], [1, 2, 3, 4]);
    await write([startOfSpan(spanAt(1)), spanAt(1)], [1, 3]);
    await write([startOfSpan(spanAt(6))], [5]);
    const closing = closingSpan(startOfSpan(spanAt(6)), { reason: 'process_crash', at: 0 });
    await write([closing], [5]);
    await write([closing, spanAt(6)], [5, 6]);
    expect(await conflicts()).toEqual([RIGHT]);
  });

  it('a second process with the id is named by its start token, even if no number arrives twice', async () => {
    await deliver([1, 2], [1, 2], { epoch: 'b', lastSequence: 4 });
    await deliver([3], [3], { lastSequence: 4 });
    expect(await conflicts(), 'an earlier version has no token').toEqual([RIGHT]);
    await deliver([104], [4], { epoch: 'a', isClosed: true });
    expect(await conflicts()).toMatchObject([{ conflict: '2 processes use this id' }]);
    expect(await rows('select epochs from emitters')).toEqual([{ epochs: ['a', 'b'] }]);
  });

  it('numbers beyond the newest that the process has made are named', async () => {
    await deliver([1, 2], [1, 7], { lastSequence: 2, deliveredSequence: 4 });
    expect(await conflicts()).toEqual([
      {
        ...RIGHT,
        missing: '{[2,5)}',
        beyond: '{[3,5),[7,8)}',
        conflict: 'the numbers {[3,5),[7,8)} are beyond the newest, 2',
      },
    ]);
    await deliver([3], [3], { lastSequence: 7 });
    expect(await conflicts(), 'what arrived early is none').toMatchObject([{ beyond: '{}', conflict: null }]);
  });

  it('the names of two processes with one id do not depend on the order and repetition of their batches', async () => {
    interface Delivery {
      readonly base: number;
      readonly numbers: readonly number[];
    }
    const batches = (base: number, cuts: readonly number[]): readonly Delivery[] => {
      const ends = [...new Set([...cuts, 8])].sort((a, b) => a - b);
      return ends.map((end, index) => {
        const from = (ends[index - 1] ?? 0) + 1;
        return { base, numbers: Array.from({ length: end - from + 1 }, (_, n) => from + n) };
      });
    };
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 });
    const deliveries = fc
      .tuple(cuts, cuts)
      .map(([first, second]) => [...batches(0, first), ...batches(100, second)])
      .chain((all) => fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }));
    await fc.assert(
      fc.asyncProperty(deliveries, async (all) => {
        await emptyTables(database.pool);
        for (const { base, numbers } of all)
          await deliver(
            numbers.map((number) => base + number),
            numbers,
            { epoch: String(base) },
          );
        expect(await conflicts()).toMatchObject([
          { reused: '{[1,9)}', conflict: expect.stringContaining('2 processes use this id; ') as string },
        ]);
      }),
      { numRuns: 20, seed: 20261130 },
    );
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

  it('an emitter with a missing record is closed only once that has come', async () => {
    const account = accountOf({ received: [[1, 3]], lastSequence: 5, deliveredSequence: 5, isClosed: true });
    await writeAccounts(account, { ...account, received: [] });
    expect(await rows('select missing::text, closed_at from emitter_books')).toEqual([
      { missing: '{[4,6)}', closed_at: null },
    ]);
    await writeAccounts({ ...account, received: [[5, 5]], dropped: [[4, 4]] });
    expect(await rows('select missing::text, closed_at is null as is_open from emitter_books')).toEqual([
      { missing: '{}', is_open: false },
    ]);
  });

  it('an emitter that goes on after its spool was taken is open while a number is missing, and closed when it ends', async () => {
    const taken = accountOf({ received: [[1, 3]], lastSequence: 3, deliveredSequence: 3, isClosed: true });
    const later = accountOf({ received: [[6, 6]], lastSequence: 6, deliveredSequence: 6 });
    await writeAccounts(taken, later, taken);
    const isOpen = 'select closed_at is null as is_open, missing::text from emitter_books';
    expect(await rows(isOpen)).toEqual([{ is_open: true, missing: '{[4,6)}' }]);
    await writeAccounts({ ...later, received: [[4, 5]], isClosed: true });
    expect(await rows(isOpen)).toEqual([{ is_open: false, missing: '{}' }]);
  });

  it('the closing of a whole emitter keeps its time', async () => {
    await writeAccounts(accountOf({ isClosed: true }));
    const [before] = await rows('select closed_at from emitters');
    await writeAccounts(accountOf({ isClosed: true }), accountOf({}));
    expect(await rows('select closed_at from emitters')).toEqual([before]);
  });
});
