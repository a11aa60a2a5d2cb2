import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEndPrecedence } from '#postgres/log/end-precedence';
import { closingSpan, type Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import { CLOSING_REASONS } from '#semconv';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan, T } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const START = Number(T / 1000n);
const span = endedSpan({ step: 'query', durationMs: 5000 });
const closed = (closing: Closing): ObservedSpan => closingSpan(startOfSpan(span), closing);
const iso = (micros: number): string => new Date(micros / 1000).toISOString();

const record = (...batches: readonly (readonly ObservedSpan[])[]) => writeBatches(database.pool, batches);

const rows = (sql: string) => queryRows(database.pool, sql);
const logged = () =>
  rows(`select status, facts ->> 'closing' as closing, completed_at, latency_ms from weather_forecast_steps`);
const noted = () => rows('select reason, closed_at from closed_spans');

describe('closings of a step', () => {
  it('a closed step is abandoned at the last heartbeat of its process, without a latency', async () => {
    const at = START + 3_000_000;
    await record([startOfSpan(span)], [closed({ reason: 'process_crash', at })]);
    expect(await logged()).toEqual([
      { status: 'abandoned', closing: 'process_crash', completed_at: new Date(iso(at)), latency_ms: null },
    ]);
    expect(await rows('select from weather_forecast_steps_running')).toEqual([]);
    expect(await rows('select reason, run_id from closed_spans')).toEqual([
      { reason: 'process_crash', run_id: 1 },
    ]);
  });

  it('the closing of highest precedence stays in the log and in closed_spans, in any order', async () => {
    const closing = fc.record({
      reason: fc.constantFrom(...CLOSING_REASONS),
      at: fc.nat(4).map((second) => START + second * 1_000_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(closing, { minLength: 1, maxLength: 5 }), async (closings) => {
        await emptyTables(database.pool);
        await record([startOfSpan(span)], ...closings.map((one) => [closed(one)]));
        const [best] = closings.toSorted((a, b) =>
          compareEndPrecedence(
            { closing: b.reason, completedAt: b.at },
            { closing: a.reason, completedAt: a.at },
          ),
        );
        const at = new Date(iso(best?.at ?? 0));
        expect(await logged()).toMatchObject([{ closing: best?.reason, completed_at: at }]);
        expect(await noted()).toEqual([{ reason: best?.reason, closed_at: at }]);
      }),
      { numRuns: 40, seed: 20261127 },
    );
  });

  it.each([
    ['after its closing', (end: ObservedSpan, closing: ObservedSpan) => [[closing], [end]]],
    ['before its closing', (end: ObservedSpan, closing: ObservedSpan) => [[end], [closing]]],
    ['with its closing', (end: ObservedSpan, closing: ObservedSpan) => [[closing, end]]],
  ])('a real end %s replaces the closing and is listed in late_ends', async (_, batches) => {
    const at = START + 1_000_000;
    await record([startOfSpan(span)], ...batches(span, closed({ reason: 'heartbeat_lost', at })));
    expect(await logged()).toMatchObject([{ status: 'succeeded', closing: null, latency_ms: 5000 }]);
    expect(await rows('select reason, closed_at, step_name, status, completed_at from late_ends')).toEqual([
      {
        reason: 'heartbeat_lost',
        closed_at: new Date(iso(at)),
        step_name: 'query',
        status: 'succeeded',
        completed_at: new Date(iso(START + 5_000_000)),
      },
    ]);
  });

  it('a closed step without a real end is not listed in late_ends', async () => {
    await record([closed({ reason: 'heartbeat_lost', at: START })]);
    expect(await rows('select from late_ends')).toEqual([]);
  });

  it('a step whose end is replaced repeatedly counts once for its process and its miner', async () => {
    const at = START + 1_000_000;
    await record(
      [startOfSpan(span)],
      [closed({ reason: 'spool_full', at })],
      [closed({ reason: 'process_crash', at })],
      [span],
      [closed({ reason: 'heartbeat_lost', at })],
    );
    expect(await rows('select spans::int, ended_spans::int from emitters')).toEqual([
      { spans: 1, ended_spans: 1 },
    ]);
    expect(await rows('select from weather_forecast_steps')).toHaveLength(1);
  });
});
