import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { closingSpan } from '#facts/closing';
import { endedSpan, startOfSpan, T } from '#test/support/spans';
import { queryRows, useTestDatabase, writeBatches } from './support/database.ts';

const database = useTestDatabase({ isEmptiedBeforeEach: true });
const rows = (sql: string) => queryRows(database.pool, sql);

const END = { ...endedSpan({ step: 'query' }), traceSampled: false };
const START = { ...startOfSpan(END), traceSampled: undefined };
const CLOSING = closingSpan(START, { reason: 'process_crash', at: Number(T / 1000n) });

describe('trace_sampled of a step', () => {
  it('a start has its flag, and the end that replaces it has its own', async () => {
    await writeBatches(database.pool, [[{ ...START, traceSampled: true }]]);
    expect(await rows('select trace_sampled from weather_forecast_steps')).toEqual([{ trace_sampled: true }]);
    await writeBatches(database.pool, [[END]]);
    expect(await rows('select trace_sampled from weather_forecast_steps')).toEqual([
      { trace_sampled: false },
    ]);
  });

  it('the flag of the end stands, in whichever order a start and a closing of an earlier version come', async () => {
    const orders: readonly (readonly ObservedSpan[])[] = [
      [START, CLOSING, END],
      [END, CLOSING, START],
      [CLOSING, START, END, START],
      [CLOSING, END, END],
    ];
    for (const [run, order] of orders.entries()) {
      const spans = order.map((span) => ({ ...span, traceId: String(run + 1).repeat(32) }));
      await writeBatches(
        database.pool,
        spans.map((span) => [span]),
      );
    }
    expect(await rows('select trace_sampled, status from weather_forecast_steps')).toEqual(
      orders.map(() => ({ trace_sampled: false, status: 'succeeded' })),
    );
  });
});

describe('unsampled_traces', () => {
  it('a trace is listed when each of its steps was not sampled, and not when one was or does not say', async () => {
    const trace = (digit: string, ...flags: (boolean | undefined)[]) =>
      flags.map((traceSampled, at) => ({
        ...endedSpan({ step: 'query', at: at + Number(digit), traceId: digit.repeat(32) }),
        traceSampled,
      }));
    await writeBatches(database.pool, [
      [...trace('1', false, false), ...trace('2', false, true), ...trace('3', false, undefined)],
      [...trace('4', true), ...trace('5', undefined)],
    ]);
    expect(await rows('select run_id, trace_id, steps::int, validator_hotkey from unsampled_traces')).toEqual(
      [{ run_id: 1, trace_id: '1'.repeat(32), steps: 2, validator_hotkey: '5Validator' }],
    );
  });
});
