import type { StepDefinition } from '#steps';

/** One call of the measured function. */
export interface Work {
  readonly lead: number;
  /** Awaited by the call: the next turn of the event loop. */
  readonly turn: Promise<void>;
}

/** How a call is made: bare, as a step, or with a span written by hand. */
export type Call = (work: Work) => Promise<number>;

/** The measured function: it awaits once, as every real step does, and costs nothing else. */
export async function work({ lead, turn }: Work): Promise<number> {
  await turn;
  return lead;
}

const RUN_ID = 20_261_123;
const INIT_TIME = new Date('2026-11-23T00:00:00Z');
const MINER_HOTKEY = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
const MAX_ATTEMPTS = 5;

/** The step whose span has ten attributes: name, substep and status, and seven of its identity. */
export const DEFINITION: StepDefinition<[Work], Promise<number>> = {
  name: 'era5',
  substep: 'score',
  identity: ({ lead }) => ({
    runId: RUN_ID,
    initTime: INIT_TIME,
    minerUid: 12,
    minerHotkey: MINER_HOTKEY,
    leadHours: lead,
    attempt: 1,
    maxAttempts: MAX_ATTEMPTS,
  }),
};

/** The attributes of that step that are known when it starts, as one writes them by hand: all but the status. */
export const attributesOf = ({ lead }: Work) => ({
  'weather.step.name': 'era5',
  'weather.step.substep': 'score',
  'weather.run.id': RUN_ID,
  'weather.run.init_time': INIT_TIME.toISOString(),
  'weather.miner.uid': 12,
  'weather.miner.hotkey': MINER_HOTKEY,
  'weather.lead_hours': lead,
  'weather.step.attempt': 1,
  'weather.step.max_attempts': MAX_ATTEMPTS,
});
