import { createPipeline, type Pipeline, type PipelineStores, type RunProgress } from '#pipeline';
import type { PipelineSettings } from '#pipeline/pipeline-options';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import type { StubMiners } from './stub-miners.ts';
import { INIT_TIME, tinyClimatology, tinyFiles, tinyStore, VALIDATOR } from './tiny-world.ts';

/** Leads of the tiny world: day one and two of ERA5. */
export const DAY1_LEAD = 12;
const ERA5_LEADS = [24, 48];
export const ALL_LEADS = [DAY1_LEAD, ...ERA5_LEADS];

/** Scales production's minutes to milliseconds: 60 s become 0.6 ms. */
const DELAY_FACTOR = 1e-5;

/** The files of an honest, good forecast. */
export const goodForecast = (phase = 1): Promise<Map<string, Uint8Array>> =>
  tinyFiles({ leads: ALL_LEADS, error: 0.1, phase });

/** The stores of the tiny world, with all truth present. */
export async function tinyStores(changes: Partial<PipelineStores> = {}): Promise<PipelineStores> {
  return {
    truth: await tinyStore({ leads: ALL_LEADS, error: 0 }),
    climatology: await tinyClimatology(ALL_LEADS),
    reference: await tinyStore({ leads: ALL_LEADS, error: 0.4, phase: 5 }),
    analysis: await tinyStore({ leads: [DAY1_LEAD], error: 0.02, phase: 9 }),
    ...changes,
  };
}

/** A database, pipelines on it, and the problems that they reported. */
export interface PipelineBench {
  readonly database: TestDatabase;
  readonly problems: string[];
  open(stub: StubMiners, stores: PipelineStores, settings?: Partial<PipelineSettings>): Pipeline;
  /** Creates a run and works until it is over. */
  run(pipeline: Pipeline, stub: StubMiners): Promise<RunProgress>;
  close(): Promise<void>;
}

export async function openBench(): Promise<PipelineBench> {
  const database = await createTestDatabase();
  const opened: Pipeline[] = [];
  const problems: string[] = [];
  return {
    database,
    problems,
    open: (stub, stores, settings = {}) => {
      const pipeline = createPipeline({
        connectionString: database.connectionString,
        stores,
        minerClient: stub.client,
        openForecast: stub.openForecast,
        delayFactor: DELAY_FACTOR,
        concurrency: 3,
        queuePollMillis: 20,
        onProblem: (message) => problems.push(message),
        ...settings,
      });
      opened.push(pipeline);
      return pipeline;
    },
    run: async (pipeline, stub) => {
      const runId = await pipeline.createRun(runRequest(stub));
      await pipeline.start();
      await pipeline.finished(runId);
      return pipeline.progress(runId);
    },
    close: async () => {
      for (const pipeline of opened) await pipeline.stop();
      await database.drop();
    },
  };
}

export const runRequest = (stub: StubMiners, initTime = INIT_TIME) => ({
  validatorHotkey: VALIDATOR,
  initTime,
  miners: stub.miners,
  leads: ERA5_LEADS,
  day1Lead: DAY1_LEAD,
});
