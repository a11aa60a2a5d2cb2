import { step, type StepDefinition } from '#steps';

const definition = <Result>(): StepDefinition<[number], Result> => ({
  name: 'query',
  substep: 'initiate_fetch',
  identity: (run: number) => ({
    runId: run,
    initTime: new Date('2026-11-23T00:00:00Z'),
    minerUid: 7,
    minerHotkey: '5Seven',
  }),
});

/** A step of a run that is over at once. */
export const query = step(definition<number>(), (run: number) => run);

/** A step of a run that never ends. */
export const endlessQuery = step(definition<Promise<number>>(), async (run: number) => {
  await new Promise(() => undefined);
  return run;
});
