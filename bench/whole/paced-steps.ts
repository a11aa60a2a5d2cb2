import { setTimeout as sleep } from 'node:timers/promises';
import { step, type StepDefinition } from '#steps';

/** The identity of the miner, and the number of the poll. */
interface Poll {
  readonly runId: number;
  readonly number: number;
  /** How long the step runs, milliseconds; unless given, one turn of the event loop. */
  readonly runsMillis?: number | undefined;
}

const MINERS = 256;
const DAY_MILLIS = 86_400_000;
const INIT_TIME = new Date(Math.floor(Date.now() / DAY_MILLIS) * DAY_MILLIS);

/** The most frequent step of the pipeline: a poll of a miner that still computes. */
const definition: StepDefinition<[Poll], Promise<number>> = {
  name: 'poll',
  substep: 'attempt_1',
  identity: ({ runId, number }) => ({
    runId,
    initTime: INIT_TIME,
    minerUid: number % MINERS,
    minerHotkey: `5Miner${number % MINERS}`,
    attempt: 1,
    maxAttempts: 20,
  }),
  attributes: ({ number }) => ({ 'weather.job.id': `job-${number}` }),
  outcome: (progress, { number }) => ({
    status: 'retry_scheduled',
    nextRetryTime: new Date(INIT_TIME.getTime() + DAY_MILLIS),
    stage: 'inference_running',
    stageStatus: 'polling',
    attributes: { 'weather.poll.progress': progress, 'weather.response.status': 'inference_running' },
    context: { job_id: `job-${number}`, progress, wire_status: 'running' },
  }),
};

const poll = step(definition, async ({ number, runsMillis }: Poll) => {
  await (runsMillis === undefined ? new Promise((resolve) => setImmediate(resolve)) : sleep(runsMillis));
  return number % 100;
});

/** Makes steps at an even pace; a late one does not delay the next (open-loop load). */
export async function makePacedSteps(options: {
  readonly runId: number;
  readonly count: number;
  readonly perSecond: number;
  readonly runsMillis?: number;
}): Promise<void> {
  const begin = performance.now();
  const underWay: Promise<number>[] = [];
  for (let number = 0; number < options.count; number += 1) {
    const due = begin + (number * 1000) / options.perSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    underWay.push(poll({ runId: options.runId, number, runsMillis: options.runsMillis }));
  }
  await Promise.all(underWay);
}
