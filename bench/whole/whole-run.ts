import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SIMULATION_DELAY_FACTOR, SIMULATION_SETTINGS } from '#commands/run/run-on-stores';
import { openNamedStore } from '#commands/run/stores';
import { readConfig } from '#src/config';
import type { Miner } from '#pipeline/miners/index';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { startBarograph, type Barograph } from '#src/start';
import type { DemonstrationWorld } from '#world';
import { watchBackends } from './backend-cpu.ts';
import { profileCpu, type CpuTimes } from './cpu-shares.ts';
import type { FleetReady, FleetRequest } from './fleet-messages.ts';

const FLEET_PROCESS = fileURLToPath(new URL('./fleet-process.ts', import.meta.url));
/** Sampling interval of the age of the recorder's oldest record, milliseconds. */
const AGE_MILLIS = 20;
const BACKENDS_MILLIS = 250;

/** Parameters of a run. */
export interface WholeRunOptions {
  readonly miners: number;
  readonly seed: number;
  readonly initTime: Date;
  readonly world: DemonstrationWorld;
  readonly dataDirectory: string;
}

/** Measurements of a run. */
export interface WholeRun {
  readonly seconds: number;
  /** How long the oldest record of the recorder's queue had waited, sampled evenly; ms, 0 when none waited. */
  readonly queueAges: readonly number[];
  readonly cpu: CpuTimes;
  /** CPU time of PostgreSQL, ms, by the program that it worked for. */
  readonly backends: Readonly<Record<string, number>>;
  readonly steps: number;
}

/**
 * Runs a whole validation, from seed to the last lead, as fast as the pipeline goes, and measures its recording.
 *
 * @throws Error when the run did not complete, or when not every step of it is recorded
 */
export async function measureWholeRun(options: WholeRunOptions): Promise<WholeRun> {
  const fleet = fork(FLEET_PROCESS, { execArgv: ['--import', 'tsx'] });
  try {
    const { miners } = await fleetReady(fleet, options);
    const { truth, climatology, reference, analysis } = options.world;
    const barograph = await startBarograph({
      config: readConfig({ BAROGRAPH_DATA_DIR: options.dataDirectory, BAROGRAPH_METRICS_PORT: '0' }),
      validatorHotkey: '5Validator',
      stores: {
        truth: await openNamedStore('--truth', truth),
        climatology: await openNamedStore('--climatology', climatology),
        reference: await openNamedStore('--reference', reference),
        analysis: await openNamedStore('--analysis', analysis),
      },
      delayFactor: SIMULATION_DELAY_FACTOR,
      ...SIMULATION_SETTINGS,
      onProblem: (message) => console.error(message),
    });
    try {
      return await measureRun(barograph, { ...options, miners });
    } finally {
      await barograph.close();
    }
  } finally {
    fleet.disconnect();
  }
}

function fleetReady(fleet: ChildProcess, options: WholeRunOptions): Promise<FleetReady> {
  const request: FleetRequest = {
    count: options.miners,
    seed: options.seed,
    initTime: options.initTime.toISOString(),
    leads: [DAY1_LEAD_HOURS, ...ERA5_LEAD_HOURS],
    stores: options.world,
  };
  fleet.send(request);
  return new Promise((resolve, reject) => {
    fleet.once('message', (message) => resolve(message as FleetReady));
    fleet.once('exit', (code) =>
      reject(new Error(`The fleet ended with ${code ?? 'a signal'} before it was ready.`)),
    );
  });
}

async function measureRun(
  barograph: Barograph,
  { miners, initTime }: { readonly miners: readonly Miner[]; readonly initTime: Date },
): Promise<WholeRun> {
  const { pipeline, recording } = barograph;
  const over = new AbortController();
  const queueAges: number[] = [];
  const backends = watchBackends(recording.pool);
  await backends.look();
  const sampling = [
    repeatUntil(over.signal, AGE_MILLIS, () => void queueAges.push(recording.counters().oldestAgeMillis)),
    repeatUntil(over.signal, BACKENDS_MILLIS, () => backends.look()),
  ];
  const begin = performance.now();
  const measured = profileCpu(async () => {
    const id = await pipeline.createRun({ validatorHotkey: '5Validator', initTime, miners });
    await pipeline.start();
    await pipeline.finished(id);
    await recording.flush();
    return id;
  });
  const { result: runId, times } = await measured.finally(async () => {
    over.abort();
    await Promise.all(sampling);
  });
  const seconds = (performance.now() - begin) / 1000;
  const steps = await requireComplete(barograph, runId, miners.length);
  return { seconds, queueAges, cpu: times, backends: backends.millis(), steps };
}

async function repeatUntil(
  signal: AbortSignal,
  millis: number,
  work: () => void | Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work();
    await sleep(millis, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns how many steps were recorded */
async function requireComplete(
  { pipeline, recording }: Barograph,
  runId: number,
  miners: number,
): Promise<number> {
  // Steps that workers close after the end of the run are recorded, too.
  await pipeline.stop();
  await recording.flush();
  const { rows } = await recording.pool.query<Record<string, string | number>>(
    `select c.recorded, c.unaccounted, c.in_flight, c.dead, c.dropped, coalesce(c.missing_sequences, '{}')::text as missing,
       run.status, (select count(*) from weather_forecast_stats s where (s.validator_id, s.run_id) = (c.validator_id, c.run_id)) as miners
     from run_completeness c join weather_forecast_runs run on (run.validator_id, run.id) = (c.validator_id, c.run_id)
     where c.run_id = $1`,
    [runId],
  );
  const [found] = rows;
  const isWhole =
    found?.['status'] === 'completed' &&
    found['miners'] === miners &&
    found['missing'] === '{}' &&
    ['unaccounted', 'in_flight', 'dead', 'dropped'].every((name) => found[name] === 0);
  if (!isWhole)
    throw new Error(`The run has not ended, or is not completely recorded: ${JSON.stringify(found)}`);
  return Number(found['recorded']);
}
