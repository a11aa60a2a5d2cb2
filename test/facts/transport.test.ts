import { describe, expect, it } from 'vitest';
import { closingSpan } from '#facts/closing';
import { ERROR_CATEGORIES } from '#semconv';
import { TRANSPORT_OF } from '#semconv/transport-outcome';
import { endedFact, runningFact, toFact } from '#test/support/facts';
import { endedSpan, startOfSpan, T } from '#test/support/spans';

const call = { step: 'communication' } as const;

describe('the transport outcome of a call whose span states none', () => {
  it('a call that succeeded is a success', () => {
    expect(endedFact(call).state.transport).toBe('success');
  });

  it.each(ERROR_CATEGORIES)('a call that failed with %s counts as its category says', (type) => {
    for (const status of ['failed', 'retry_scheduled']) {
      const fact = endedFact({ ...call, status, error: { type, message: type } });
      expect(fact.state.transport).toBe(TRANSPORT_OF[type] ?? undefined);
    }
  });

  it('a call that failed for an unstated reason counts as neither', () => {
    expect(endedFact({ ...call, status: 'failed' }).state).not.toHaveProperty('transport');
  });

  it('a call without an error that did not succeed counts as neither', () => {
    for (const status of ['retry_scheduled', 'waiting_for_truth'])
      expect(endedFact({ ...call, status }).state).not.toHaveProperty('transport');
  });

  it('what the span states counts, whatever its status', () => {
    const stated = (transport: string) => ({ 'weather.response.transport': transport });
    expect(endedFact({ ...call, attributes: stated('failure') }).state.transport).toBe('failure');
    const error = { type: 'timeout', message: 'late' } as const;
    expect(endedFact({ ...call, error, attributes: stated('success') }).state.transport).toBe('success');
  });

  it('a running call, its synthetic end and every other step have none', () => {
    expect(runningFact(call).state).not.toHaveProperty('transport');
    const started = startOfSpan(endedSpan(call));
    const closed = closingSpan(started, { reason: 'process_crash', at: Number(T / 1000n) + 5 });
    expect(toFact(closed).state).not.toHaveProperty('transport');
    expect(endedFact({ step: 'query' }).state).not.toHaveProperty('transport');
  });
});
