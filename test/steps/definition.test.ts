import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { Step, step, type StepDefinition } from '#steps';
import { contextOf, recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});

interface Miner {
  readonly hotkey: string;
  readonly uid: number;
}

describe('the types of a definition', () => {
  it('a declared definition types the parameters of the function', async () => {
    const declared: StepDefinition<[Miner], Promise<number>> = {
      name: 'query',
      substep: 'initiate_fetch',
      identity: ({ hotkey, uid }) => ({ minerHotkey: hotkey, minerUid: uid }),
      outcome: (bytes, miner) => ({ status: 'succeeded', context: { bytes, of: miner.uid } }),
    };
    const wrapped = step(declared, async (miner) => Promise.resolve(miner.uid * 2));
    expectTypeOf(wrapped).parameters.toEqualTypeOf<[Miner]>();
    expect(await wrapped({ hotkey: '5Miner', uid: 4 })).toBe(8);
    expect(contextOf(steps.takeOne())).toEqual({ bytes: 8, of: 4 });
  });

  it('an inline definition takes its types from the function and may omit parameters', async () => {
    const wrapped = step(
      {
        name: 'query',
        substep: 'initiate_fetch',
        identity: () => ({ runId: 1 }),
        outcome: (text) => ({ status: 'succeeded', context: { length: text.length } }),
      },
      async (miner: Miner, times: number) => Promise.resolve(miner.hotkey.repeat(times)),
    );
    expectTypeOf(wrapped).parameters.toEqualTypeOf<[Miner, number]>();
    expectTypeOf(wrapped).returns.toEqualTypeOf<Promise<string>>();
    expect(await wrapped({ hotkey: 'ab', uid: 4 }, 2)).toBe('abab');
    expect(contextOf(steps.takeOne())).toEqual({ length: 4 });
  });

  it('a decorated method may have more parameters than its definition uses', () => {
    class Miners {
      @Step({
        name: 'query',
        substep: 'initiate_fetch',
        identity: (miner: Miner) => ({ minerUid: miner.uid }),
      })
      ask(miner: Miner, question: string): string {
        return `${miner.hotkey}: ${question}`;
      }
    }
    expect(new Miners().ask({ hotkey: '5Miner', uid: 4 }, 'ready?')).toBe('5Miner: ready?');
    expect(steps.takeOne().attributes['weather.miner.uid']).toBe(4);
  });
});

describe('the substep that a definition leaves out', () => {
  it('a step with one substep has it, and a poll the number of its attempt', () => {
    const definitions: StepDefinition<[], number>[] = [
      { name: 'verify' },
      { name: 'poll', identity: () => ({ attempt: 3 }) },
      { name: 'poll', substep: 'attempt' },
      { name: 'poll', substep: 'attempt_7' },
    ];
    for (const definition of definitions) step(definition, () => 1)();
    expect(steps.take().map(({ name, attributes }) => [name, attributes['weather.step.substep']])).toEqual([
      ['verify manifest', 'manifest'],
      ['poll attempt', 'attempt_3'],
      ['poll attempt', 'attempt_1'],
      ['poll attempt', 'attempt_7'],
    ]);
  });

  it('a step with several substeps must name one', () => {
    expect(() => step({ name: 'seed' }, () => 1)).toThrow(
      'substep of seed is "undefined"; allowed: gfs_download, seed_miner',
    );
  });
});
