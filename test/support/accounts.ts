import type { EmitterAccount, RunAccount } from '#exporters/emitter-report';

/** What an emitter says of a run, with what a test does not say filled in. */
export const runOf = (run: Partial<RunAccount>): RunAccount => ({
  validatorHotkey: '5Validator',
  runId: 1,
  started: 0,
  spooled: 0,
  dropped: {},
  ...run,
});

/** What an emitter says of its records, with what a test does not say filled in. */
export const accountOf = (account: Partial<EmitterAccount>): EmitterAccount => ({
  validatorHotkey: '5Validator',
  instanceId: 'instance-1',
  received: [],
  dropped: [],
  lastSequence: 0,
  deliveredSequence: 0,
  runs: [],
  isOwn: true,
  isClosed: false,
  ...account,
});
