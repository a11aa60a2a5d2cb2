import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import type { Pipeline } from '#pipeline';
import { type MinersTls, readMinerList } from '#pipeline/miners/index';
import { CategorizedError } from '#semconv';
import { startBarograph, type Barograph } from '#src/start';
import {
  describeAdoption,
  describeExit,
  spansAtEnd,
  RECORDING_OF_A_COMMAND,
} from '../terminal/exit-report.ts';
import { reportRetention } from '../terminal/retention-report.ts';
import { keepSchedule, type DailySchedule } from './daily-schedule.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import { findStoreProblems, toStoreOpeners } from '../run/store-openers.ts';
import type { MinerAccess } from '../run/miner-transport.ts';
import { locationsToKeep, type StoreLocations } from '../run/stores.ts';
import { toClockText, type TimeOfDay } from './time-of-day.ts';
import { dedupeWarnings } from '../terminal/dedupe-warnings.ts';

/** How the workers of a validator are started. */
export interface WorkOptions {
  readonly stores: StoreLocations;
  /** Lists the miners of each new run; read again for each. */
  readonly minersFile: string;
  /** How the certificates of miners are checked; not at all unless given. */
  readonly minersTls?: MinersTls;
  /** How miners are asked; by unsigned JSON unless given. */
  readonly access?: MinerAccess;
  readonly at: TimeOfDay;
  /** Ends when the run of one day is over. */
  readonly once: boolean;
  readonly config: Config;
  readonly isJson: boolean;
  readonly output: Output;
  /** Ends the workers gracefully. */
  readonly signal: AbortSignal;
  /** Clock and sleep; those of the system unless given. */
  readonly time?: Pick<DailySchedule, 'now' | 'sleep'>;
}

const SYSTEM_TIME: Pick<DailySchedule, 'now' | 'sleep'> = {
  now: () => new Date(),
  sleep: (millis, signal) => sleep(millis, undefined, { signal }),
};

/**
 * Works on all runs of the database and creates a run a day, until the signal aborts. Safe for any number of processes
 * on one database.
 *
 * @throws CategorizedError when the configuration, the list of miners or the database is invalid
 */
export async function workDaily(options: WorkOptions): Promise<void> {
  const { config, output, signal, access = { validatorHotkey: config.validatorHotkey } } = options;
  const onProblem = dedupeWarnings((message) => output.problem(message));
  const validatorHotkey = requireValidator(access);
  const stores = toStoreOpeners(options.stores);
  await readMinerList(options.minersFile);
  for (const problem of await findStoreProblems(stores))
    onProblem(`${problem} Steps that need it will wait.`);
  const barograph = await startBarograph({
    config,
    ...access,
    validatorHotkey,
    stores,
    delayFactor: config.delayFactor ?? 1,
    ...(options.minersTls && { minersTls: options.minersTls }),
    ...RECORDING_OF_A_COMMAND,
    onProblem,
    onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
    onRetention: reportRetention(output),
  });
  try {
    await barograph.pipeline.start();
    printEvent(options, startedEvent(options, barograph));
    await untilAborted(signal, workUntilDone({ ...options, validatorHotkey, onProblem }, barograph.pipeline));
  } catch (error) {
    if (!signal.aborted) throw error;
    output.ending(
      `Ending; running steps have ${config.shutdownSeconds} s to finish, and other workers do the rest.\nCtrl-C again ends at once.`,
    );
  } finally {
    const steps = await barograph.close();
    if (signal.aborted) output.ending(describeExit({ steps, spans: spansAtEnd(barograph.recording) }));
  }
}

/** Real miners are sent the hotkey of the validator, and every recorded row is keyed by it. */
function requireValidator({ validatorHotkey }: MinerAccess): string {
  if (validatorHotkey !== null) return validatorHotkey;
  throw new CategorizedError(
    'validator_internal',
    'BAROGRAPH_VALIDATOR_HOTKEY is not set; set it to the hotkey under which runs are recorded.',
  );
}

interface DailyWork extends WorkOptions {
  readonly validatorHotkey: string;
  readonly onProblem: (problem: unknown) => void;
}

async function workUntilDone(validator: DailyWork, pipeline: Pipeline): Promise<void> {
  const { now, sleep } = validator.time ?? SYSTEM_TIME;
  const { at, once, signal, onProblem } = validator;
  let runId: number | undefined;
  const onDue = async (initTime: Date): Promise<void> => {
    runId = await ensureDailyRun(validator, pipeline, initTime);
  };
  await keepSchedule({ at, once, signal, now, sleep, onDue, onProblem });
  if (runId !== undefined) await pipeline.finished(runId);
}

async function ensureDailyRun(validator: DailyWork, pipeline: Pipeline, initTime: Date): Promise<number> {
  const { validatorHotkey, minersFile } = validator;
  const miners = await readMinerList(minersFile);
  const storeLocations = locationsToKeep(validator.stores);
  const { runId, isNew } = await pipeline.ensureRun({ validatorHotkey, initTime, miners, storeLocations });
  const document = {
    event: 'run',
    validator_hotkey: validatorHotkey,
    run_id: runId,
    init_time: initTime.toISOString(),
    is_new: isNew,
  };
  const text = isNew ? `was created, miners: ${miners.length}` : 'exists already';
  printEvent(validator, {
    document,
    text: `Run ${runId} of validator ${validatorHotkey} for ${document.init_time} ${text}.`,
  });
  return runId;
}

/** An event, as JSON for programs and as text for people. */
interface Event {
  readonly document: object;
  readonly text: string;
}

/** Prints an event, as one line of JSON or as text. */
function printEvent({ isJson, output }: WorkOptions, { document, text }: Event): void {
  output.result(isJson ? JSON.stringify(document) : text);
}

function startedEvent({ at }: WorkOptions, { recording }: Barograph): Event {
  const { metricsUrl: metrics, connectionString, databaseKind } = recording;
  const database = `${describeConnectionTarget(connectionString)} (${databaseKind})`;
  const time = toClockText(at);
  return {
    document: { event: 'started', at: time, metrics, database },
    text: `Working; the run of the 00Z cycle is created daily at ${time} UTC.\nMetrics   ${metrics ?? 'none'}\nDatabase  ${database}`,
  };
}
