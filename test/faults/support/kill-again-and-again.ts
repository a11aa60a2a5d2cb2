import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { StepName } from '#semconv';
import type { Random } from '#world';
import {
  databaseTime,
  findStepsUnderWay,
  findTasks,
  untilDisconnected,
  type StepUnderWay,
} from './steps-under-way.ts';
import { startWorkerProcess, type Work, type WorkerProcess } from './worker-process.ts';

/** How long a step may go on once it was found, milliseconds at most. */
const LONGEST_STEP_MILLIS = 40;
/** After this long without a step to kill a worker in, something is wrong, milliseconds. */
const HUNT_MILLIS = 300_000;
/** The steps in the order in which a run comes to them; each is as likely as it stands here. */
const TARGETS = [
  ...['orchestrate', 'gfs_download', 'query', 'poll', 'verify', 'score_lead day1'],
  ...['score_lead era5', 'score_lead era5', 'score_lead era5', 'aggregate_miner'],
];

/** How often workers were killed, and in the middle of what. */
export interface KillReport {
  readonly kills: number;
  /** How many kills hit while steps of a name were under way. */
  readonly kinds: ReadonlyMap<StepName, number>;
  /** Steps that were under way when a worker was killed. */
  readonly steps: number;
  /** How many of them had committed, so that only their span end was missing. */
  readonly committed: number;
}

/** Who is killed, how often, and what decides when. */
export interface KillPlan {
  readonly work: Work;
  readonly pool: Pool;
  readonly kills: number;
  readonly random: Random;
}

/**
 * Starts a worker, kills it in the middle of a step that the seed chooses, starts another one, and so on; then lets the
 * last one end.
 *
 * @throws Error when the work was done before all kills were
 */
export async function killAgainAndAgain(plan: KillPlan): Promise<KillReport> {
  const kinds = new Map<StepName, number>();
  const killed: StepUnderWay[] = [];
  for (const target of chooseTargets(plan)) {
    const hit = await startAndKill(plan, target);
    killed.push(...hit);
    for (const step of new Set(hit.map(({ step }) => step))) kinds.set(step, (kinds.get(step) ?? 0) + 1);
  }
  const last = startWorkerProcess(plan.work);
  const exitCode = await last.ended;
  if (exitCode !== 0) throw new Error(`The last worker ended with ${exitCode}: ${last.stderr()}`);
  const committed = killed.filter(({ isCommitted }) => isCommitted).length;
  return { kills: plan.kills, kinds, steps: killed.length, committed };
}

/** In the order in which the run comes to them. */
const chooseTargets = ({ kills, random }: KillPlan): readonly string[] =>
  Array.from({ length: kills }, random)
    .toSorted((one, other) => one - other)
    .map((place) => TARGETS[Math.floor(place * TARGETS.length)] ?? '');

/** @returns the steps that were under way */
async function startAndKill(
  { work, pool, random }: KillPlan,
  target: string,
): Promise<readonly StepUnderWay[]> {
  const since = await databaseTime(pool);
  const worker = startWorkerProcess(work);
  await worker.started;
  await untilUnderWay({ pool, since, target, worker });
  await sleep(random() * LONGEST_STEP_MILLIS);
  if ((await worker.kill()) !== null)
    throw new Error(`The work was done before all kills were: ${worker.stderr()}`);
  await untilDisconnected(pool);
  return findStepsUnderWay(pool, since);
}

/** Waits until the target is under way; any step will do when the run is past it. */
async function untilUnderWay(hunt: {
  readonly pool: Pool;
  readonly since: string;
  readonly target: string;
  readonly worker: WorkerProcess;
}): Promise<void> {
  const { pool, since, target, worker } = hunt;
  const place = TARGETS.indexOf(target);
  const until = performance.now() + HUNT_MILLIS;
  const life = { isOver: false };
  void worker.ended.then(() => (life.isOver = true));
  while (!life.isOver) {
    const tasks = await findTasks(pool, since);
    const isPast = tasks.length > 0 && tasks.every(({ task }) => TARGETS.indexOf(task) > place);
    if (tasks.some(({ task, isUnderWay }) => isUnderWay && (isPast || task === target))) return;
    if (performance.now() > until) throw new Error(`No ${target} came: ${JSON.stringify(tasks)}`);
  }
}
