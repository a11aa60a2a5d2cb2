import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { readConfig } from '../../../src/config.ts';
import { startRecording } from '../../../src/recording.ts';
import { step } from '../../../src/steps/index.ts';
import { createRandom } from '../../../src/world/index.ts';
import type { RecordingLoad } from './recorder-process.ts';

/**
 * A process that records steps as fast as it was told to, to be killed. Says `started` on standard output when it works;
 * on descriptor 3 it acknowledges each step, by its span id, as soon as its caller knows of its end.
 */
const load = JSON.parse(process.argv[2] ?? '') as RecordingLoad;
const ACKNOWLEDGED = 3;
const RUN_START = new Date('2026-11-23T00:00:00Z');

interface Job {
  readonly run: number;
  readonly uid: number;
  readonly lead: number;
  readonly fails: boolean;
  readonly millis: number;
}

const identityOf = ({ run, uid }: Job) => ({
  runId: run,
  initTime: RUN_START,
  minerUid: uid,
  minerHotkey: `5Miner${uid}`,
  maxAttempts: 5,
});
const acknowledge = (spanId: string): void => void writeSync(ACKNOWLEDGED, `${spanId}\n`);
const ownSpanId = (): string => trace.getActiveSpan()?.spanContext().spanId ?? '';

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
    const called = await call(job);
    acknowledge(called);
    return ownSpanId();
  },
);

const random = createRandom(load.seed);
const state = { isEnding: false };
async function work(): Promise<void> {
  while (!state.isEnding) {
    const job = {
      run: 1 + Math.floor(random() * 3),
      uid: Math.floor(random() * 8),
      lead: 24 * (1 + Math.floor(random() * 10)),
      fails: random() < 0.2,
      millis: random() * load.stepMillis,
    };
    acknowledge(await score(job));
  }
}

const recording = await startRecording({
  config: readConfig({
    DATABASE_URL: load.databaseUrl,
    BAROGRAPH_DATA_DIR: load.dataDirectory,
    BAROGRAPH_METRICS_PORT: '0',
    BAROGRAPH_SPOOL_LIMIT_MIB: String(load.spoolLimitMib),
  }),
  validatorHotkey: '5Validator',
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
process.once('SIGTERM', () => (state.isEnding = true));
process.stdout.write('started\n');
await Promise.all(Array.from({ length: load.inFlight }, work));
await recording.adopted;
await recording.close();
