import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentIdentity, currentTraceparent, step } from '#steps';
import { recordSteps, type RecordedSteps } from '../recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const DAY1 = { name: 'day1', substep: 'score' } as const;

describe('the scope of a step', () => {
  it('the identity of a step holds in whatever context the program makes inside it', () => {
    const inside = step({ ...DAY1, identity: () => ({ runId: 7 }) }, () => {
      const other = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 });
      return [ROOT_CONTEXT, trace.setSpan(context.active(), other)].map((made) =>
        context.with(made, currentIdentity),
      );
    });
    expect(inside()).toEqual([{ runId: 7 }, { runId: 7 }]);
  });

  it('steps nest in a program that has no context manager', () => {
    context.disable();
    const inner = step(DAY1, () => currentTraceparent());
    const outer = step(DAY1, async () => {
      await Promise.resolve();
      return inner();
    });
    return outer().then(() => {
      const [child, parent] = steps.take();
      expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
      steps.close();
      steps = recordSteps();
    });
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
