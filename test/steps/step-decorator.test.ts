import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Step } from '#steps';
import { recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});

class Validator {
  readonly #hotkey = '5Validator';

  @Step({ name: 'verify', substep: 'manifest', identity: (runId: number) => ({ runId }) })
  async verify(runId: number): Promise<string> {
    await Promise.resolve();
    return `${this.#hotkey} ${runId}`;
  }

  @Step({ name: 'seed', substep: 'seed_miner' })
  static seed(): string {
    return this.name;
  }
}

describe('@Step', () => {
  it('@Step makes every call of a method a span and keeps this, private fields and name', async () => {
    expect(await new Validator().verify(7)).toBe('5Validator 7');
    expect(Validator.prototype.verify.name).toBe('verify');
    expect(Validator.prototype.verify).toHaveLength(1);
    const span = steps.takeOne();
    expect(span.name).toBe('verify manifest');
    expect(span.attributes['weather.run.id']).toBe(7);
  });

  it('@Step works on static methods', () => {
    expect(Validator.seed()).toBe('Validator');
    expect(steps.takeOne().attributes['weather.step.name']).toBe('seed');
  });
});
