import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentIdentity, step, withIdentity } from '#steps';
import { recordSteps, type RecordedSteps } from '../recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const KEY = createContextKey('of somebody else');
const DAY1 = { name: 'day1', substep: 'score' } as const;

describe('the context of a step', () => {
  it('the context of a step overlays its base context: values can be read, set and deleted', () => {
    const inside = step(DAY1, () => context.active());
    const around = ROOT_CONTEXT.setValue(KEY, 'around');
    const own = context.with(around, () => inside());
    expect(own.getValue(KEY)).toBe('around');
    const changed = own.setValue(KEY, 'changed');
    expect([changed.getValue(KEY), own.getValue(KEY)], 'contexts do not change').toEqual([
      'changed',
      'around',
    ]);
    expect(changed.deleteValue(KEY).getValue(KEY)).toBeUndefined();
    for (const same of [changed, changed.deleteValue(KEY)])
      expect(trace.getSpan(same)).toBe(trace.getSpan(own));
  });

  it('the context of a step keeps the identity when its span is replaced or deleted', () => {
    const identity = () => ({ runId: 7 });
    const inside = step({ ...DAY1, identity }, () => context.active());
    const own = inside();
    const other = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 });
    expect(trace.getSpan(trace.setSpan(own, other))).toBe(other);
    expect(trace.getSpan(trace.deleteSpan(own))).toBeUndefined();
    for (const same of [trace.setSpan(own, other), trace.deleteSpan(own)])
      expect(context.with(same, currentIdentity)).toEqual({ runId: 7 });
  });

  it('nested contexts do not keep a chain of the enclosing ones in memory', () => {
    let depth = 0;
    const reached: unknown[] = [];
    const deeper = step(DAY1, (): void => {
      reached.push(context.active());
      depth += 1;
      if (depth < 50) deeper();
    });
    withIdentity({ runId: 3 }, deeper);
    const [first, last] = [reached[0], reached.at(-1)] as { readonly around: unknown }[];
    expect(last?.around).toBe(first?.around);
    expect(steps.take()).toHaveLength(50);
  });
});

describe('a step that was called before', () => {
  it('a step that was called before uses the SDK that is registered now', () => {
    const called = step(DAY1, () => 1);
    called();
    expect(steps.take()).toHaveLength(1);
    steps.close();
    called();
    const first = steps;
    steps = recordSteps();
    called();
    expect([first.take().length, steps.take().length]).toEqual([0, 1]);
  });

  it('a step formats a Date that was changed in place anew', () => {
    const initTime = new Date('2026-11-23T00:00:00Z');
    const called = step({ ...DAY1, identity: () => ({ initTime }) }, () => 1);
    called();
    initTime.setUTCHours(12);
    called();
    expect(steps.take().map(({ attributes }) => attributes['weather.run.init_time'])).toEqual([
      '2026-11-23T00:00:00.000Z',
      '2026-11-23T12:00:00.000Z',
    ]);
  });
});
