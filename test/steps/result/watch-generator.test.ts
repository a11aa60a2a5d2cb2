import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { step } from '#steps';
import { contextOf, recordSteps, type RecordedSteps } from '../recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const reading = { name: 'communication', substep: 'forecast_file' } as const;

function* chunks(this: unknown, count = 2): Generator<number, string, unknown> {
  try {
    for (let at = 0; at < count; at += 1) yield at;
    return 'whole';
  } finally {
    trace.getActiveSpan()?.addEvent('cleaned up');
  }
}

async function* asyncChunks(count: number): AsyncGenerator<number, string> {
  for (let at = 0; at < count; at += 1) {
    await Promise.resolve();
    yield at;
  }
  if (count === 13) throw new Error('unlucky');
  return 'whole';
}

const spanId = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;

describe('a generator step', () => {
  it('the span of a generator step begins with the first next() and ends with the last', () => {
    const generator = step(reading, chunks)(1);
    expect(steps.atStart).toHaveLength(0);
    expect(generator.next('')).toEqual({ value: 0, done: false });
    expect(steps.take()).toEqual([]);
    expect(generator.next('')).toEqual({ value: 'whole', done: true });
    expect(generator.next('')).toEqual({ value: undefined, done: true });
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });

  it('a generator step passes its return value to the outcome', () => {
    const outcome = (result: string) => ({ status: 'succeeded', context: { result } }) as const;
    const wrapped = step({ ...reading, outcome }, chunks);
    expect([...wrapped(3)]).toEqual([0, 1, 2]);
    expect(contextOf(steps.takeOne())).toEqual({ result: 'whole' });
  });

  it('a generator step runs inside its span, while its consumer does not', () => {
    const inside: (string | undefined)[] = [];
    const outside: (string | undefined)[] = [];
    const generator = step(reading, function* () {
      inside.push(spanId());
      yield 1;
      inside.push(spanId());
    })();
    while (generator.next().done !== true) outside.push(spanId());
    const id = steps.takeOne().spanContext().spanId;
    expect(inside).toEqual([id, id]);
    expect(outside).toEqual([undefined]);
  });

  it('a generator step that is stopped early counts as succeeded, and cleans up inside its span', () => {
    for (const first of step(reading, chunks)(5)) {
      expect(first).toBe(0);
      break;
    }
    const span = steps.takeOne();
    expect(span.events.map(({ name }) => name)).toContain('cleaned up');
    expect(span.attributes['weather.step.status']).toBe('succeeded');
    expect(contextOf(span)).toEqual({ stopped_early: true });
  });

  it('a generator step records an error that is thrown into it, and passes it on', () => {
    const generator = step(reading, chunks)();
    generator.next('');
    const error = new Error('from outside');
    expect(() => generator.throw(error)).toThrow(error);
    expect(steps.takeOne().attributes['weather.step.status']).toBe('failed');
  });

  it('a generator step records nothing when it was never started', () => {
    const wrapped = step(reading, chunks);
    expect(wrapped().return('early')).toEqual({ value: 'early', done: true });
    expect(() => wrapped().throw(new Error('x'))).toThrow('x');
    expect(steps.take()).toEqual([]);
  });

  it('a generator step records a throw in its parameter defaults, which run at the call', () => {
    function* demanding(value: number = fail()): Generator<number> {
      yield value;
    }
    function fail(): number {
      throw new Error('no default');
    }
    expect(() => step(reading, demanding)()).toThrow('no default');
    expect(steps.takeOne().attributes['weather.step.status']).toBe('failed');
  });

  it('a generator step keeps class and iteration, and survives resuming itself', () => {
    const wrapped = step(reading, function* (): Generator<number> {
      expect(() => self.next()).toThrow(TypeError);
      yield 1;
    });
    const self = wrapped();
    expect(self[Symbol.iterator]()).toBe(self);
    expect(Object.prototype.toString.call(self)).toBe('[object Generator]');
    expect([...self]).toEqual([1]);
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });
});

describe('an async generator step', () => {
  it('an async generator step covers all of its chunks in one span', async () => {
    const seen: number[] = [];
    for await (const chunk of step(reading, asyncChunks)(3)) seen.push(chunk);
    expect(seen).toEqual([0, 1, 2]);
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });

  it('an async generator step records the error that ends it, and passes it on', async () => {
    const read = async (): Promise<void> => {
      for await (const chunk of step(reading, asyncChunks)(13)) expect(chunk).toBeLessThan(13);
    };
    await expect(read()).rejects.toThrow('unlucky');
    expect(steps.takeOne().attributes['error.type']).toBe('unknown');
  });

  it('an async generator step keeps the order of concurrent calls; stopping early counts as succeeded', async () => {
    const generator = step(reading, asyncChunks)(5);
    const results = await Promise.all([generator.next(), generator.next(), generator.return('stop')]);
    expect(results.map(({ value }) => value)).toEqual([0, 1, 'stop']);
    expect(contextOf(steps.takeOne())).toEqual({ stopped_early: true });
  });
});
