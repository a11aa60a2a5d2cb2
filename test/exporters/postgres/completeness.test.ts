import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import { createPostgresExporter } from '#postgres/exporter';
import { closingSpan } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import { accountOf, runOf } from '#test/support/accounts';
import { useTestDatabase } from './support/database.ts';
import { endedSpan, startOfSpan, T, type SpanOptions } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const spanOf = (at: number, options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({ step: 'query', at, ...options });
const REFUSED = Object.assign(new Error('refused'), { code: '23514' });

/** A delivery: spans that are written or dead-lettered, with the account of their emitter. */
type Event =
  | { readonly written: readonly ObservedSpan[]; readonly account?: EmitterAccount }
  | { readonly deadLettered: ObservedSpan; readonly account?: EmitterAccount };

async function deliver(...events: readonly Event[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const event of events) {
    const options = event.account === undefined ? {} : { account: event.account };
    const report =
      'deadLettered' in event
        ? await exporter.writeDeadLetter(event.deadLettered, REFUSED, options)
        : await exporter.exportObserved(event.written, options);
    expect(report).toEqual({ kind: 'written' });
  }
}

const COUNTS = ['recorded', 'in_flight', 'spooled', 'dead', 'dropped'] as const;
interface Completeness extends Record<(typeof COUNTS)[number], number> {
  readonly started: number;
  readonly dropped_by_reason: Readonly<Record<string, number>>;
  readonly unaccounted: number;
  readonly missing_sequences: Readonly<Record<string, string>> | null;
  readonly emitter_conflicts: Readonly<Record<string, string>> | null;
  readonly abandoned: number;
  readonly emitters: number;
}

/** The only run; asserts that its counts are not negative and that they sum up. */
async function completeness(): Promise<Completeness> {
  const { rows } = await database.pool.query<Completeness>(
    `select started::int, recorded::int, in_flight::int, spooled::int, dead::int, dropped::int, dropped_by_reason,
       unaccounted::int, missing_sequences, emitter_conflicts, abandoned::int, emitters::int from run_completeness`,
  );
  expect(rows).toHaveLength(1);
  const [run] = rows as [Completeness];
  for (const name of [...COUNTS, 'unaccounted'] as const) expect(run[name], name).toBeGreaterThanOrEqual(0);
  const sum = COUNTS.reduce((total, name) => total + run[name], 0);
  expect(run.unaccounted).toBe(run.started - sum);
  return run;
}

const NOTHING = { recorded: 0, in_flight: 0, spooled: 0, dead: 0, dropped: 0, dropped_by_reason: {} };
const accountOfStarted = (started: number, more: Parameters<typeof runOf>[0] = {}): EmitterAccount =>
  accountOf({
    received: [[1, started]],
    lastSequence: started,
    deliveredSequence: started,
    runs: [runOf({ started, ...more })],
  });
const lostEnd = closingSpan(startOfSpan(spanOf(1)), { reason: 'spool_full', at: Number(T / 1000n) });
const nameless = { 'weather.validator.hotkey': '5Validator' };

describe('run_completeness of a run whose emitter keeps books', () => {
  it.each<[string, readonly Event[], Partial<Completeness>]>([
    [
      'all its steps ended',
      [{ written: [spanOf(1), spanOf(2)], account: accountOfStarted(2) }],
      { started: 2, recorded: 2 },
    ],
    [
      'one still runs',
      [{ written: [spanOf(1), startOfSpan(spanOf(2))], account: accountOfStarted(2) }],
      { started: 2, recorded: 1, in_flight: 1 },
    ],
    [
      'some wait in the spool',
      [{ written: [spanOf(1)], account: accountOfStarted(4, { spooled: 3 }) }],
      { started: 4, recorded: 1, spooled: 3 },
    ],
    [
      'the start of one was dropped, and nothing is left of it',
      [{ written: [spanOf(1)], account: accountOfStarted(3, { dropped: { spool_full: 1, too_large: 1 } }) }],
      { started: 3, recorded: 1, dropped: 2, dropped_by_reason: { spool_full: 1, too_large: 1 } },
    ],
    [
      'the end of one was dropped, and it was closed for that',
      [{ written: [startOfSpan(spanOf(1))], account: accountOfStarted(1) }, { written: [lostEnd] }],
      { started: 1, dropped: 1, dropped_by_reason: { spool_full: 1 }, abandoned: 1 },
    ],
    [
      'ends and whole steps were dropped for one reason',
      [{ written: [lostEnd], account: accountOfStarted(2, { dropped: { spool_full: 1 } }) }],
      { started: 2, dropped: 2, dropped_by_reason: { spool_full: 2 }, abandoned: 1 },
    ],
    [
      'the end of a running one is dead',
      [{ written: [startOfSpan(spanOf(1))], account: accountOfStarted(1) }, { deadLettered: spanOf(1) }],
      { started: 1, dead: 1 },
    ],
    [
      'the start of one is dead',
      [{ deadLettered: startOfSpan(spanOf(1)), account: accountOfStarted(1) }],
      { started: 1, dead: 1 },
    ],
    [
      'start and end of one are dead',
      [{ deadLettered: startOfSpan(spanOf(1)), account: accountOfStarted(1) }, { deadLettered: spanOf(1) }],
      { started: 1, dead: 1 },
    ],
    [
      'the start of one is dead and its end is not',
      [{ deadLettered: startOfSpan(spanOf(1)), account: accountOfStarted(1) }, { written: [spanOf(1)] }],
      { started: 1, recorded: 1 },
    ],
    [
      'the dead letter of a start arrived after the start itself, which runs',
      [
        { written: [startOfSpan(spanOf(1))], account: accountOfStarted(1) },
        { deadLettered: startOfSpan(spanOf(1)) },
      ],
      { started: 1, in_flight: 1 },
    ],
    [
      'a running one is dead at its end, and closed later',
      [
        { written: [startOfSpan(spanOf(1))], account: accountOfStarted(1) },
        { deadLettered: spanOf(1) },
        { written: [closingSpan(startOfSpan(spanOf(1)), { reason: 'heartbeat_lost', at: 0 })] },
      ],
      { started: 1, recorded: 1, abandoned: 1 },
    ],
    [
      'everything happens at once',
      [
        {
          written: [spanOf(2), startOfSpan(spanOf(3)), lostEnd],
          account: accountOfStarted(9, { spooled: 2, dropped: { disk_full: 2 } }),
        },
        { deadLettered: spanOf(4) },
        { deadLettered: startOfSpan(spanOf(5)) },
      ],
      {
        ...{ started: 9, recorded: 1, in_flight: 1, spooled: 2, dead: 2, dropped: 3, abandoned: 1 },
        dropped_by_reason: { disk_full: 2, spool_full: 1 },
      },
    ],
  ])('the started steps add up when %s', async (_, events, expected) => {
    await deliver(...events);
    expect(await completeness()).toEqual({
      ...NOTHING,
      abandoned: 0,
      unaccounted: 0,
      missing_sequences: null,
      emitter_conflicts: null,
      emitters: 1,
      ...expected,
    });
  });

  it('the started steps add up when accounts are repeated and out of order', async () => {
    const events: readonly Event[] = [
      {
        written: [spanOf(1)],
        account: { ...accountOfStarted(3, { spooled: 2 }), received: [[1, 1]], deliveredSequence: 1 },
      },
      {
        written: [spanOf(2)],
        account: { ...accountOfStarted(3, { spooled: 1 }), received: [[2, 2]], deliveredSequence: 2 },
      },
      { written: [spanOf(3)], account: { ...accountOfStarted(3), received: [[3, 3]] } },
    ];
    await deliver(...events.toReversed(), ...events);
    expect(await completeness()).toMatchObject({ started: 3, recorded: 3, spooled: 0, unaccounted: 0 });
  });

  it('a gap in the records is shown with its size and its sequence numbers', async () => {
    const account = {
      ...accountOfStarted(5),
      received: [
        [1, 2],
        [5, 5],
      ] as const,
    };
    await deliver({ written: [1, 2, 5].map((at) => spanOf(at)), account });
    expect(await completeness()).toMatchObject({
      started: 5,
      recorded: 3,
      unaccounted: 2,
      missing_sequences: { 'instance-1': '{[3,5)}' },
    });
  });
});

describe('run_completeness of a run whose emitter keeps no books', () => {
  it.each<[string, Partial<ObservedSpan>, number]>([
    ['with a name', {}, 1],
    ['without a name', { resource: nameless }, 0],
  ])(
    'the number of started steps equals the steps received, for an emitter %s',
    async (_, changes, emitters) => {
      await deliver(
        {
          written: [
            { ...spanOf(1), ...changes },
            { ...startOfSpan(spanOf(2)), ...changes },
          ],
        },
        { deadLettered: { ...spanOf(3), ...changes } },
      );
      expect(await completeness()).toEqual({
        ...NOTHING,
        ...{ started: 3, recorded: 1, in_flight: 1, dead: 1 },
        ...{ abandoned: 0, unaccounted: 0, missing_sequences: null, emitter_conflicts: null, emitters },
      });
    },
  );
});

describe('run_completeness of a run with several emitters', () => {
  it('the counts add up over emitters with books, without books and without a name', async () => {
    await deliver(
      { written: [spanOf(1)], account: accountOfStarted(3, { spooled: 2 }) },
      {
        written: [spanOf(2, { instance: 'instance-2' })],
        account: { ...accountOfStarted(2, { dropped: { spool_full: 1 } }), instanceId: 'instance-2' },
      },
      { written: [spanOf(3, { instance: 'foreign' }), { ...spanOf(4), resource: nameless }] },
    );
    expect(await completeness()).toMatchObject({
      ...{ started: 7, recorded: 4, spooled: 2, dropped: 1, unaccounted: 0, emitters: 3 },
      dropped_by_reason: { spool_full: 1 },
    });
  });

  it('each emitter of the run is listed with its missing records, and no other emitter', async () => {
    const lossy = (instanceId: string): EmitterAccount => ({
      ...accountOfStarted(2),
      received: [[2, 2]],
      instanceId,
    });
    await deliver(
      { written: [spanOf(1, { instance: 'a' })], account: lossy('a') },
      { written: [spanOf(2, { instance: 'b' })], account: lossy('b') },
      { written: [spanOf(3, { instance: 'c' })], account: { ...accountOfStarted(1), instanceId: 'c' } },
      { written: [], account: { ...lossy('elsewhere'), runs: [] } },
    );
    expect((await completeness()).missing_sequences).toEqual({ a: '{[1,2)}', b: '{[1,2)}' });
  });

  it('a process that counted fewer steps than are known is named, and hides no loss of another process', async () => {
    await deliver(
      { written: [spanOf(1), spanOf(2), spanOf(3)], account: accountOfStarted(1, { spooled: 1 }) },
      {
        written: [spanOf(4, { instance: 'b' })],
        account: { ...accountOfStarted(3), instanceId: 'b' },
      },
    );
    expect(await completeness()).toMatchObject({
      ...{ started: 7, recorded: 4, spooled: 1, unaccounted: 2 },
      emitter_conflicts: { 'instance-1': '1 steps started by its count, 3 known' },
    });
  });

  it('a run is told of processes that share an id, however complete their merged counts look', async () => {
    const first = { ...accountOfStarted(4), received: [[1, 2]] as const, epoch: 'first' };
    const second = { ...accountOfStarted(4), received: [[3, 4]] as const, epoch: 'second' };
    await deliver(
      { written: [spanOf(1), spanOf(2)], account: first },
      { written: [spanOf(103), spanOf(104)], account: second },
      { written: [spanOf(5, { instance: 'c' })], account: { ...accountOfStarted(1), instanceId: 'c' } },
    );
    expect(await completeness()).toMatchObject({
      ...{ unaccounted: 0, missing_sequences: null },
      emitter_conflicts: { 'instance-1': '2 processes use this id' },
    });
  });

  it('runs of the same number at two validators are kept apart', async () => {
    await deliver({ written: [spanOf(1), spanOf(2, { validator: '5Other' })], account: accountOfStarted(1) });
    const { rows } = await database.pool.query(
      'select started::int, unaccounted::int from run_completeness order by validator_id',
    );
    expect(rows).toEqual([
      { started: 1, unaccounted: 0 },
      { started: 1, unaccounted: 0 },
    ]);
  });
});

describe('run_completeness of a process that records for several validators', () => {
  const gaps = async (): Promise<readonly unknown[]> => {
    const { rows } = await database.pool.query<Record<string, unknown>>(
      'select validator_hotkey, missing_sequences from run_completeness order by validator_id',
    );
    return rows;
  };
  const account = {
    ...accountOfStarted(2),
    lastSequence: 3,
    deliveredSequence: 3,
    received: [[1, 2]] as const,
  };

  it('a gap in its records is shown at the runs of each of them', async () => {
    await deliver({ written: [spanOf(1), spanOf(2, { validator: '5Other' })], account });
    const missing_sequences = { 'instance-1': '{[3,4)}' };
    expect(await gaps()).toMatchObject([{ missing_sequences }, { missing_sequences }]);
  });

  it('a process of another validator that has the same id and numbers of its own is another one', async () => {
    const other = { ...accountOfStarted(1), validatorHotkey: '5Other' };
    await deliver(
      { written: [spanOf(1), spanOf(2)], account },
      { written: [spanOf(3, { validator: '5Other' })], account: other },
    );
    expect(await gaps()).toMatchObject([
      { missing_sequences: { 'instance-1': '{[3,4)}' } },
      { missing_sequences: null },
    ]);
  });
});

describe('emitter_books', () => {
  async function books(): Promise<Record<string, unknown> | undefined> {
    const { rows } = await database.pool.query<Record<string, unknown>>(
      `select last_sequence::int, delivered_sequence::int, spooled::int, missing::text, dropped::text,
         closed_at is null as is_open from emitter_books`,
    );
    expect(rows).toHaveLength(1);
    return rows[0];
  }

  it('undelivered records of an emitter are missing once no others follow, and its books stay open over them', async () => {
    const account = accountOf({ received: [[1, 3]], lastSequence: 9, deliveredSequence: 3 });
    await deliver({ written: [], account });
    expect(await books()).toEqual({
      ...{ last_sequence: 9, delivered_sequence: 3, spooled: 6, missing: '{}', dropped: '{}', is_open: true },
    });
    await deliver({ written: [], account: { ...account, isClosed: true } });
    expect(await books()).toMatchObject({ missing: '{[4,10)}', spooled: 0, is_open: true });
  });

  it('records reported as dropped are not missing', async () => {
    const account = accountOf({
      received: [
        [1, 2],
        [5, 6],
      ],
      dropped: [[3, 4]],
      lastSequence: 6,
      deliveredSequence: 6,
      isClosed: true,
    });
    await deliver({ written: [], account });
    expect(await books()).toMatchObject({ spooled: 0, missing: '{}', dropped: '{[3,5)}' });
  });

  it('an emitter that numbers no records has no missing ones', async () => {
    await deliver({ written: [spanOf(1)] });
    expect(await books()).toEqual({
      ...{ last_sequence: null, delivered_sequence: null, spooled: null },
      ...{ missing: '{}', dropped: '{}', is_open: true },
    });
  });
});
