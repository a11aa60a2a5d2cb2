import { setTimeout as sleep } from 'node:timers/promises';
import { currentTraceparent, step } from '#steps';
import { createRandom } from '#world';

const RUN_START = new Date('2026-11-23T00:00:00Z');

/** Takes the span of a step that its caller knows to have ended. */
export type Acknowledge = (spanId: string, runId: number) => void;

interface Job {
  readonly run: number;
  readonly uid: number;
  readonly lead: number;
  readonly fails: boolean;
  readonly millis: number;
  readonly acknowledge: Acknowledge;
}

const identityOf = ({ run, uid }: Job) => ({
  runId: run,
  initTime: RUN_START,
  minerUid: uid,
  minerHotkey: `5Miner${uid}`,
  maxAttempts: 5,
});
const ownSpanId = (): string => currentTraceparent()?.split('-')[2] ?? '';

const call = step(
  {
    name: 'communication',
    substep: 'kerchunk_request',
    identity: identityOf,
    outcome: (_spanId: string, { fails }) => ({
      status: 'succeeded',
      attributes: { 'weather.response.transport': fails ? 'failure' : 'success' },
    }),
  },
  async ({ millis }: Job): Promise<string> => {
    await sleep(millis);
    return ownSpanId();
  },
);

const score = step(
  {
    name: 'era5',
    substep: 'score',
    identity: (job: Job) => ({ ...identityOf(job), leadHours: job.lead }),
    outcome: (_spanId: string, { lead, fails, uid }) =>
      fails
        ? { status: 'failed', error: new Error('no score') }
        : {
            status: 'succeeded',
            stage: `era5_scoring_${lead}h`,
            attributes: { 'weather.score.era5': uid / 10 },
            events: ['2t', 'msl', 'z'].map((variable) => ({
              name: 'weather.component_score',
              attributes: {
                'weather.component.score_type': 'era5',
                'weather.component.variable_name': variable,
                'weather.component.valid_time': '2026-11-24T00:00:00Z',
                'weather.component.rmse': lead + uid,
                'weather.component.acc': 0.5,
              },
            })),
          },
  },
  async (job: Job): Promise<string> => {
    job.acknowledge(await call(job), job.run);
    return ownSpanId();
  },
);

/** What a recording process does. */
export interface RecordedWork {
  /** Two steps, one around the other, whose ends are acknowledged by their span ids as soon as they are known. */
  readonly doOnce: () => Promise<void>;
}

/** Work that is drawn from a seed: three runs, eight miners, ten leads, one step in five fails. */
export function createWork(options: {
  readonly seed: number;
  /** How long a step takes at most, ms. */
  readonly stepMillis: number;
  readonly acknowledge: Acknowledge;
}): RecordedWork {
  const random = createRandom(options.seed);
  return {
    doOnce: async () => {
      const job: Job = {
        run: 1 + Math.floor(random() * 3),
        uid: Math.floor(random() * 8),
        lead: 24 * (1 + Math.floor(random() * 10)),
        fails: random() < 0.2,
        millis: random() * options.stepMillis,
        acknowledge: options.acknowledge,
      };
      options.acknowledge(await score(job), job.run);
    },
  };
}
