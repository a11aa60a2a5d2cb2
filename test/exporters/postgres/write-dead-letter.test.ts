import { describe, expect, it } from 'vitest';
import { toRejection } from '#postgres/write-dead-letter';
import { createPostgresExporter } from '#postgres/exporter';
import type { Committed } from '#postgres/write-batch';
import type { ObservedSpan } from '#facts/observed-span';
import { interceptPool } from '#test/support/intercepted-pool';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const letters = async (): Promise<readonly Record<string, unknown>[]> =>
  (await database.pool.query<Record<string, unknown>>('select * from dead_letter_spans order by phase')).rows;

const span = endedSpan({ step: 'query' });
const refused = Object.assign(new Error('new row for relation "x" violates check constraint "y"'), {
  code: '23514',
});

describe('writeDeadLetter', () => {
  it('a refused span is stored whole, with owner, SQLSTATE and message, and counts by its reason', async () => {
    const commits: Committed[] = [];
    const onCommit = (committed: Committed) => void commits.push(committed);
    const exporter = createPostgresExporter({ pool: database.pool, onCommit });
    expect(await exporter.writeDeadLetter(span, refused)).toEqual({ kind: 'written' });
    expect(await letters()).toMatchObject([
      {
        trace_id: span.traceId,
        span_id: span.spanId,
        phase: 'ended',
        reason: 'refused_by_database',
        detail: '23514: new row for relation "x" violates check constraint "y"',
        validator_hotkey: '5Validator',
        run_id: 1,
        instance_id: 'instance-1',
        span: { name: 'query test' },
      },
    ]);
    expect(commits).toEqual([{ steps: [], minerStats: [], rows: {}, rejected: { refused_by_database: 1 } }]);
  });

  it('a refused span is stored once per phase, however often it is written', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    for (const deadLettered of [span, span, startOfSpan(span)])
      await exporter.writeDeadLetter(deadLettered, refused);
    expect((await letters()).map(({ phase }) => phase)).toEqual(['ended', 'started']);
  });

  it('the write of a dead letter is retryable when the database is away', async () => {
    let isAway = true;
    const pool = interceptPool(database.pool, (_text, run) =>
      isAway ? Promise.reject(new Error('Connection terminated')) : run(),
    );
    const exporter = createPostgresExporter({ pool });
    expect(await exporter.writeDeadLetter(span, refused)).toMatchObject({ kind: 'retryable' });
    isAway = false;
    expect(await exporter.writeDeadLetter(span, refused)).toEqual({ kind: 'written' });
    expect(await letters()).toHaveLength(1);
  });

  it('a dead letter is written after earlier spans and rejected after the shutdown', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const order: string[] = [];
    void exporter.exportObserved([endedSpan({ step: 'poll' })]).then(() => order.push('export'));
    await exporter.writeDeadLetter(span, refused).then(() => order.push('dead letter'));
    expect(order).toEqual(['export', 'dead letter']);
    await exporter.shutdown();
    expect(await exporter.writeDeadLetter(startOfSpan(span), refused)).toMatchObject({ kind: 'rejected' });
    expect(await letters()).toHaveLength(1);
  });
});

describe('writeDeadLetter of a span whose dead letter is refused', () => {
  it.each<[string, ObservedSpan]>([
    ['an id that no text holds', { ...span, spanId: 'a\0b', name: 'odd\0one' }],
    ['an id too long for the key', { ...span, traceId: [...Array(4000).keys()].join('') }],
  ])('ids, name and reason are stored: %s', async (_what, odd) => {
    const exporter = createPostgresExporter({ pool: database.pool });
    expect(await exporter.writeDeadLetter(odd, refused)).toEqual({ kind: 'written' });
    expect(await letters()).toMatchObject([
      { reason: 'refused_by_database', run_id: 1, span: { phase: 'ended', stripped: true } },
    ]);
  });

  it('a span whose stripped dead letter is refused is rejected and not retried', async () => {
    await database.pool.query('alter table dead_letter_spans add constraint closed check (phase is null)');
    const exporter = createPostgresExporter({ pool: database.pool });
    expect(await exporter.writeDeadLetter(span, refused)).toMatchObject({
      kind: 'rejected',
      error: { code: '23514' },
    });
    await database.pool.query('alter table dead_letter_spans drop constraint closed');
  });
});

describe('toRejection', () => {
  it.each([
    [
      '22P02',
      'invalid input syntax for type integer: "5"0"',
      '22P02: invalid input syntax for type integer: "…"',
    ],
    [
      '22003',
      'value "99999999999" is out of range for type integer',
      '22003: value "…" is out of range for type integer',
    ],
    [
      '23505',
      'duplicate key value violates unique constraint "k"',
      '23505: duplicate key value violates unique constraint "k"',
    ],
  ])('the message is stored without the values of the row: %s', (code, message, detail) => {
    const error = Object.assign(new Error(message), { code, detail: 'Failing row contains (5Secret).' });
    expect(toRejection(error)).toEqual({ reason: 'refused_by_database', detail });
  });

  it('a thrown value that is no error becomes the detail', () => {
    expect(toRejection(new RangeError('Invalid time value')).detail).toBe('RangeError: Invalid time value');
    expect(toRejection('no error').detail).toBe('no error');
  });
});
