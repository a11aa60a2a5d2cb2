import type { EmitterAccount, RunAccount } from '#exporters/emitter-report';

/** An emitter's account of a run, with defaults. */
export const runOf = (run: Partial<RunAccount>): RunAccount => ({
  validatorHotkey: '5Validator',
  runId: 1,
  started: 0,
  spooled: 0,
  dropped: {},
  ...run,
});

/** An emitter's account of its records, with defaults. */
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
