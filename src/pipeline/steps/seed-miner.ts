import { currentTraceparent, step, type StepDefinition } from '#steps';
import { recordRootTrace } from '../control/miner-row.ts';
import { moveMiner } from '../control/moves.ts';
import { supersededOutcome } from '../step/common-outcomes.ts';
import { cycleName, previousCycle } from '../runs/forecast-cycle.ts';
import { commitStep } from '../step/commit-step.ts';
import { minerIdentity } from '../step/step-identity.ts';
import type { MinerJob } from '../step/step-job.ts';
import type { Superseded } from '../step/step-result.ts';

/** The miner takes part in the run. */
export interface Seeded {
  readonly kind: 'seeded';
}
export type SeedMinerResult = Seeded | Superseded;

/** The root span of a miner's trace. It ends at once, so a ten-day forecast needs no ten-day span. */
const seedMinerDefinition: StepDefinition<[MinerJob], Promise<SeedMinerResult>> = {
  name: 'seed',
  substep: 'seed_miner',
  spanName: 'forecast.miner',
  root: true,
  identity: (job) => ({
    ...minerIdentity(job),
    ...(job.run.rootTraceparent !== null && { links: [job.run.rootTraceparent] }),
  }),
  outcome: (result, { run }) =>
    result.kind === 'superseded'
      ? supersededOutcome(result)
      : {
          status: 'succeeded',
          stage: 'init',
          stageStatus: 'initialized',
          attributes: {
            'weather.forecast.status': 'seeded',
            'weather.forecast.type': '10day',
            'weather.forecast.input_sources': JSON.stringify(inputSources(run)),
            'weather.run.target_time': run.initTime.toISOString(),
          },
        },
};

/** The GFS cycles that the forecast starts from, and the leads that are scored, hours. */
const inputSources = ({ initTime, day1Lead, era5Leads }: MinerJob['run']) => ({
  gfs: [cycleName(previousCycle(initTime)), cycleName(initTime)],
  day1_lead_hours: day1Lead,
  era5_lead_hours: era5Leads,
});

/** Takes a miner into the run and opens its trace. */
export const seedMiner = step(seedMinerDefinition, async (job: MinerJob): Promise<SeedMinerResult> => {
  const root = currentTraceparent() ?? null;
  return commitStep<SeedMinerResult>(job, { kind: 'seeded' }, async (client) => {
    if (!(await moveMiner(client, job.miner, { to: 'seeded' }))) return false;
    await recordRootTrace(client, job.miner, root);
    return true;
  });
});
