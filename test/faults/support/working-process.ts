import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '#src/config';
import { SIMULATION_TIMEOUTS } from '#commands/run/simulated-miners';
import { openGridStore } from '#grids';
import { startBarograph } from '#src/start';
import type { Work } from './worker-process.ts';

/**
 * A worker in a process of its own, to be killed: makes the run unless it is there, works until it is over, and ends.
 * Says `started` on standard output when it has begun to work.
 */
const work = JSON.parse(process.argv[2] ?? '') as Work;
const { pipeline, recording, close } = await startBarograph({
  config: readConfig({
    DATABASE_URL: work.databaseUrl,
    BAROGRAPH_DATA_DIR: work.dataDirectory,
    BAROGRAPH_METRICS_PORT: '0',
  }),
  validatorHotkey: work.validatorHotkey,
  traces: true,
  stores: {
    truth: () => openGridStore(work.world.truth),
    climatology: () => openGridStore(work.world.climatology),
    reference: () => openGridStore(work.world.reference),
    analysis: () => openGridStore(work.world.analysis),
  },
  delayFactor: work.delayFactor,
  queuePollMillis: 50,
  recovery: work.recovery,
  minerTimeouts: SIMULATION_TIMEOUTS,
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
const { runId } = await pipeline.ensureRun({
  validatorHotkey: work.validatorHotkey,
  initTime: new Date(work.initTime),
  miners: work.miners,
});
await pipeline.start();
process.stdout.write('started\n');
await pipeline.finished(runId);
// A worker that was killed between its last commit and the end of its job leaves the job, which is taken up once more.
while ((await recording.pool.query('select from pipeline.jobs limit 1')).rowCount !== 0) await sleep(50);
await recording.flush();
// Adopt the spools of the killed workers here, because no later process does.
await recording.adopted;
await close();
