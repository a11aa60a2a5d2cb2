import { SpanStatusCode, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { instrumentationFaults, step, type StepDefinition } from '#steps';
import { recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const scoring = { name: 'day1', substep: 'score' } as const;
const anything = fc.oneof(fc.anything(), fc.constant(Symbol('value')), fc.func(fc.anything()));
/** Any value that no `await` and no `then` treats in its own way. */
const plain = anything.filter(
  (value) => (value as { then?: unknown } | null | undefined)?.then === undefined,
);

describe('step', () => {
  it('step passes on value, this and arguments of any plain function, so that wrapping is invisible', () => {
    fc.assert(
      fc.property(plain, fc.anything(), fc.array(anything), (value, self, args) => {
        const calls: { self: unknown; args: unknown[] }[] = [];
        const wrapped = step(scoring, function (this: unknown, ...given: unknown[]) {
          calls.push({ self: this, args: given });
          return value;
        });
        expect(Reflect.apply(wrapped, self, args)).toBe(value);
        expect(calls).toHaveLength(1);
        expect(calls[0]?.self).toBe(self);
        expect(calls[0]?.args.every((arg, at) => Object.is(arg, args[at]))).toBe(true);
        expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
      }),
    );
  });

  it('step throws the very same thing that a plain function throws', () => {
    fc.assert(
      fc.property(anything, (thrown) => {
        const wrapped = step(scoring, () => {
          throw thrown;
        });
        expect(caught(wrapped)).toEqual({ thrown });
        expect(caught(wrapped).thrown).toBe(thrown);
        expect(steps.take().map((span) => span.attributes['weather.step.status'])).toEqual([
          'failed',
          'failed',
        ]);
      }),
    );
  });

  it('step resolves and rejects like the async function inside, with this and arguments', async () => {
    await fc.assert(
      fc.asyncProperty(plain, fc.boolean(), fc.anything(), async (value, isRejected, self) => {
        const wrapped = step(scoring, async function (this: unknown, given: unknown) {
          await Promise.resolve();
          expect(this).toBe(self);
          if (isRejected) throw given;
          return given;
        });
        const promise = Reflect.apply(wrapped, self, [value]);
        expect(promise).toBeInstanceOf(Promise);
        const [settled] = await Promise.allSettled([promise]);
        expect(settled).toEqual(
          isRejected ? { status: 'rejected', reason: value } : { status: 'fulfilled', value },
        );
        expect(steps.takeOne().status.code).toBe(isRejected ? SpanStatusCode.ERROR : SpanStatusCode.UNSET);
      }),
    );
  });

  it('step yields, returns and throws like the generator inside', () => {
    fc.assert(
      fc.property(fc.array(plain), plain, fc.boolean(), (yielded, last, isThrown) => {
        function* inner(this: unknown): Generator<unknown, unknown> {
          const sent: unknown[] = [];
          for (const value of yielded) sent.push(yield value);
          if (isThrown) throw last;
          return [last, sent];
        }
        expect(drain(step(scoring, inner)())).toEqual(drain(inner()));
        steps.take();
      }),
    );
  });

  it('step keeps name, length and kind of a function', () => {
    const three = step(scoring, function named(a: number, b: number, c: number) {
      return a + b + c;
    });
    expect([three.name, three.length]).toEqual(['named', 3]);
    function* counting(): Generator<number> {
      yield 1;
    }
    expect(Object.prototype.toString.call(step(scoring, counting))).toBe('[object GeneratorFunction]');
    expect(
      step(
        scoring,
        Object.assign(() => 1, { retries: 4 }),
      ),
    ).toHaveProperty('retries', 4);
  });

  it('step leaves an unhandled rejection unhandled, so that the process still gets the event', async () => {
    const heard: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    const arrived = new Promise<void>((resolve) => {
      process.once('unhandledRejection', (reason) => {
        heard.push(reason);
        resolve();
      });
    });
    const error = new Error('nobody cares');
    void step(scoring, async () => {
      throw error;
    })();
    await arrived;
    for (const listener of listeners) process.on('unhandledRejection', listener);
    expect(heard).toEqual([error]);
  });

  it('step keeps the own properties of a returned promise', async () => {
    const cancel = (): string => 'cancelled';
    const result = step(scoring, () => Object.assign(Promise.resolve(5), { cancel }))();
    expect(result.cancel()).toBe('cancelled');
    expect(await result).toBe(5);
    expect(steps.take()).toHaveLength(1);
  });

  it('step makes the span the active one inside, so that inner steps are its children', async () => {
    const inner = step({ name: 'communication', substep: 'forecast_file' }, async () => {
      await Promise.resolve();
      return trace.getActiveSpan()?.spanContext().spanId;
    });
    const outer = step(scoring, async () => inner());
    const innerId = await outer();
    const [child, parent] = steps.take();
    expect(child?.spanContext().spanId).toBe(innerId);
    expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it('step starts a trace of its own when the definition is root', () => {
    const root = step({ ...scoring, root: true }, () => 1);
    step(scoring, () => root())();
    const [inner, outer] = steps.take();
    expect(inner?.parentSpanContext).toBeUndefined();
    expect(inner?.spanContext().traceId).not.toBe(outer?.spanContext().traceId);
  });

  it('step names the span by step and substep without its number, so that names stay few', () => {
    const poll = step({ name: 'poll', substep: (n: number) => `attempt_${n}` }, (n: number) => n);
    poll(3);
    step({ ...scoring, spanName: 'forecast.day1' }, () => 1)();
    const [polled, scored] = steps.take();
    expect(polled?.name).toBe('poll attempt');
    expect(polled?.attributes['weather.step.substep']).toBe('attempt_3');
    expect(scored?.name).toBe('forecast.day1');
  });

  it('step throws on a definition outside the vocabulary when it is made, not when it is called', () => {
    const unknownStep = { name: 'guess', substep: 'score' } as unknown as StepDefinition<[], number>;
    expect(() => step(unknownStep, () => 1)).toThrow(/step name is "guess"; allowed: seed, query/);
    expect(() => step({ name: 'poll', substep: 'poll' }, () => 1)).toThrow(
      /becomes attempt_\{n\} by its attempt/,
    );
    expect(() => step({ name: 'day1', substep: 'manifest' }, () => 1)).toThrow(/allowed: score/);
  });

  it('step keeps a substep outside the vocabulary on the span, so that it is rejected with a reason', () => {
    const before = instrumentationFaults().substep;
    step({ name: 'poll', substep: () => 'attempt_zero' }, () => 1)();
    expect(steps.takeOne().attributes['weather.step.substep']).toBe('attempt_zero');
    expect(instrumentationFaults().substep).toBe(before + 1);
  });
});

function caught(fn: () => unknown): { thrown: unknown } {
  try {
    fn();
  } catch (thrown) {
    return { thrown };
  }
  throw new Error('nothing was thrown');
}

function drain(generator: Iterator<unknown, unknown, number>): unknown[] {
  const seen: unknown[] = [];
  try {
    for (let sent = 0; ; sent += 1) {
      const result = generator.next(sent);
      seen.push(result);
      if (result.done === true) return seen;
    }
  } catch (error) {
    return [...seen, { error }];
  }
}
