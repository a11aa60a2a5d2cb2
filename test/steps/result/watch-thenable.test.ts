import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { step } from '#steps';
import { recordSteps, type RecordedSteps } from '../recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => void steps.take());

const query = { name: 'query', substep: 'initiate_fetch' } as const;

/** A query that runs each time it is awaited, and not before. Its state is private, as a class may have it. */
class LazyQuery implements PromiseLike<string> {
  #runs = 0;
  #filter = 'all';
  activeSpanId: string | undefined;

  get runs(): number {
    return this.#runs;
  }

  where(filter: string): this {
    this.#filter = filter;
    return this;
  }

  then<A = string, B = never>(
    onValue?: ((value: string) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#runs += 1;
    this.activeSpanId = trace.getActiveSpan()?.spanContext().spanId;
    const result = this.#filter === 'bad' ? Promise.reject(new Error('bad')) : Promise.resolve(this.#filter);
    return result.then(onValue, onError);
  }

  catch(onError: (error: unknown) => string): Promise<string> {
    return this.then(null, onError);
  }

  finally(onFinally: () => void): Promise<string> {
    return Promise.resolve(this).finally(onFinally);
  }
}

describe('a watched thenable', () => {
  it('a step never awaits a thenable, so that a lazy query runs only when its user awaits it', async () => {
    const lazy = new LazyQuery();
    const result = step(query, () => lazy)();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lazy.runs).toBe(0);
    expect(steps.take()).toEqual([]);
    expect(await result).toBe('all');
    expect(lazy.runs).toBe(1);
    expect(lazy.activeSpanId).toBe(steps.takeOne().spanContext().spanId);
  });

  it('a watched thenable behaves like its target: class, private state, chaining', async () => {
    const lazy = new LazyQuery();
    const result = step(query, () => lazy)();
    expect(result).toBeInstanceOf(LazyQuery);
    expect(result.constructor).toBe(LazyQuery);
    expect(result.where('some')).toBe(result);
    expect(await result.where('some')).toBe('some');
    expect(result.runs).toBe(1);
    result.activeSpanId = 'changed';
    expect(lazy.activeSpanId).toBe('changed');
    expect('where' in result).toBe(true);
    expect(steps.take()).toHaveLength(1);
  });

  it('a watched thenable records its first settling only, however often it is awaited', async () => {
    const result = step(query, () => new LazyQuery())();
    await result;
    await result;
    expect(result.runs).toBe(2);
    expect(steps.take()).toHaveLength(1);
  });

  it('a rejection is recorded through then, catch and finally, and passed on', async () => {
    const bad = step(query, () => new LazyQuery().where('bad'));
    await expect(bad()).rejects.toThrow('bad');
    expect(await bad().catch((error: unknown) => String(error))).toBe('Error: bad');
    let finished = 0;
    await expect(bad().finally(() => (finished += 1))).rejects.toThrow('bad');
    expect(finished).toBe(1);
    expect(steps.take().map((span) => span.attributes['weather.step.status'])).toEqual([
      'failed',
      'failed',
      'failed',
    ]);
  });

  it('finally of a watched thenable passes on the value, or the error of its callback', async () => {
    const good = step(query, () => new LazyQuery());
    expect(await good().finally(() => undefined)).toBe('all');
    const failing = good().finally(() => {
      throw new Error('callback');
    });
    await expect(failing).rejects.toThrow('callback');
    expect(steps.take()).toHaveLength(2);
  });

  it('the callbacks of a watched thenable run outside of the span', async () => {
    const spanInside = await step(query, () => new LazyQuery())().then(() => trace.getActiveSpan());
    expect(spanInside).toBeUndefined();
  });

  it('a frozen thenable is watched as well, although a proxy must report it unchanged', async () => {
    const frozen = Object.freeze({
      then: (onValue: (value: number) => unknown) => Promise.resolve(7).then(onValue),
    });
    expect(await step(query, () => frozen)()).toBe(7);
    expect(steps.take()).toHaveLength(1);
  });

  it('a subclass of Promise is watched and keeps its methods', async () => {
    class Job extends Promise<number> {
      cancel(): string {
        return 'cancelled';
      }
    }
    const job = step(query, () => new Job((resolve) => resolve(3)))();
    expect(job).toBeInstanceOf(Job);
    expect(job.cancel()).toBe('cancelled');
    expect(await job).toBe(3);
    expect(steps.takeOne().attributes['weather.step.status']).toBe('succeeded');
  });
});
