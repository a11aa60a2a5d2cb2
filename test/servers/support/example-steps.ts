import {
  CategorizedError,
  isRetryable,
  step,
  withIdentity,
  type StepEvent,
  type StepIdentity,
} from '#src/index';
import type { StepName } from '#semconv';

/** The steps of `python/example.py`, made in TypeScript. */

interface Miner {
  readonly uid: number;
  readonly hotkey: string;
}

const MAX_ATTEMPTS: Readonly<Record<string, number>> = { query: 4, poll: 20, verify: 4, day1: 4, era5: 5 };

const identityOf =
  (name: StepName) =>
  (miner: Miner, attempt: number): StepIdentity => ({
    minerUid: miner.uid,
    minerHotkey: miner.hotkey,
    attempt,
    maxAttempts: MAX_ATTEMPTS[name] ?? 1,
  });

const scoreEvent = (values: Readonly<Record<string, string | number>>): StepEvent => ({
  name: 'weather.component_score',
  attributes: Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`weather.component.${name}`, value]),
  ),
});

/** An error as Python raises it. */
const connectionRefused = (): Error =>
  Object.assign(new Error('[Errno 111] Connection refused'), {
    name: 'ConnectionRefusedError',
    code: 'ECONNREFUSED',
  });

/** Plays the steps of one run for two miners. @param t0 of the run */
export async function playExample(t0: Date): Promise<void> {
  const after = (seconds: number): Date => new Date(t0.getTime() + seconds * 1000);
  const query = step(
    {
      name: 'query',
      identity: identityOf('query'),
      attributes: () => ({
        'weather.stage': 'inference_requested',
        'weather.response.status': 'fetch_initiated',
      }),
      outcome: (jobId: string) => ({
        status: 'succeeded',
        stage: 'inference_running',
        stageStatus: 'query_successful',
        attributes: { 'weather.job.id': jobId, 'weather.response.status': 'inference_running' },
        context: { fast_path: false },
      }),
      failure: (error, _miner, attempt) =>
        isRetryable(error) && attempt < 4
          ? { status: 'retry_scheduled', stage: 'inference_requested', nextRetryTime: after(60) }
          : {
              status: 'failed',
              stage: 'inference_failed',
              attributes: { 'weather.response.status': 'failed', 'weather.forecast.status': 'failed' },
            },
    },
    async (miner: Miner, attempt: number): Promise<string> => {
      if (miner.hotkey === '5Busy')
        throw new CategorizedError(
          'rejected_identity',
          'The miner rejected the request: validator 5Validator is unknown',
        );
      if (attempt === 1) throw connectionRefused();
      return Promise.resolve(`job-of-${miner.hotkey}`);
    },
  );
  const poll = step(
    {
      name: 'poll',
      identity: identityOf('poll'),
      outcome: (progress: number, miner: Miner) =>
        progress < 100
          ? {
              status: 'retry_scheduled',
              nextRetryTime: after(300),
              stage: `inference_running_${progress}%`,
              stageStatus: 'polling',
              attributes: {
                'weather.poll.progress': progress,
                'weather.response.status': 'inference_running',
              },
            }
          : {
              status: 'succeeded',
              stage: 'awaiting_scoring',
              stageStatus: 'inference_complete',
              attributes: { 'weather.poll.progress': progress, 'weather.response.status': 'forecast_ready' },
              context: { job_id: `job-of-${miner.hotkey}` },
            },
    },
    async (_miner: Miner, attempt: number) => Promise.resolve(attempt === 1 ? 40 : 100),
  );
  const verify = step<unknown, [Miner, number], Promise<string>>(
    {
      name: 'verify',
      identity: identityOf('verify'),
      attributes: () => ({
        'weather.stage': 'verification',
        'weather.response.status': 'verifying_manifest',
      }),
      outcome: (hash) => ({
        status: 'succeeded',
        attributes: {
          'weather.response.status': 'verified_manifest_store_opened',
          'weather.manifest.hash_computed': hash,
          'weather.manifest.hash_claimed': hash,
          'weather.verification.passed': true,
        },
      }),
    },
    () => Promise.resolve('b5c1'.repeat(16)),
  );
  const scoreDay1 = step<unknown, [Miner, number], readonly StepEvent[]>(
    {
      name: 'day1',
      identity: (miner, attempt) => ({ ...identityOf('day1')(miner, attempt), leadHours: 12 }),
      outcome: (events) => ({
        status: 'succeeded',
        stage: 'day1_scored',
        attributes: { 'weather.score.initial': 0.61, 'weather.forecast.status': 'day1_scored' },
        events,
      }),
    },
    () => {
      const shared = { score_type: 'day1', valid_time: after(12 * 3600).toISOString() };
      return [
        scoreEvent({
          ...{ ...shared, variable_name: '2t', rmse: 1.5, mse: 2.25, acc: 0.93, skill_score: 0.4 },
          ...{ bias: -0.2, mae: 1.1 },
        }),
        scoreEvent({
          ...{ ...shared, variable_name: 'z', pressure_level: 500, rmse: 81.5, acc: 0.97, skill_score: 0.55 },
        }),
      ];
    },
  );
  const scoreEra5 = step(
    {
      name: 'era5',
      identity: (miner: Miner, attempt: number, leadHours: number) => ({
        ...identityOf('era5')(miner, attempt),
        leadHours,
      }),
      outcome: (events: readonly StepEvent[], _miner: Miner, _attempt: number, lead: number) => ({
        status: 'succeeded',
        stage: `era5_scoring_${lead}h`,
        attributes: { 'weather.score.era5': 0.55 },
        events,
      }),
      failure: (error) => ({ status: 'waiting_for_truth', nextRetryTime: after(6 * 86_400), error }),
    },
    (_miner: Miner, _attempt: number, lead: number): readonly StepEvent[] => {
      if (lead > 24)
        throw new CategorizedError('truth_not_ready', `ERA5 is not yet published for +${lead} h`, {
          retryable: true,
        });
      const valid_time = after(lead * 3600).toISOString();
      const scores = { rmse: 1.75, acc: 0.91, skill_score: 0.35, bias: 0.1 };
      return [scoreEvent({ score_type: 'era5', variable_name: '2t', valid_time, ...scores })];
    },
  );
  const validate = async (miner: Miner): Promise<void> => {
    await query(miner, 1).catch(() => '');
    if (miner.hotkey === '5Busy') return;
    const rest: readonly (() => unknown)[] = [
      () => query(miner, 2),
      () => poll(miner, 1),
      () => poll(miner, 2),
      () => verify(miner, 1),
      () => scoreDay1(miner, 1),
      () => scoreEra5(miner, 1, 24),
      () => thrownBy(() => scoreEra5(miner, 1, 48)),
    ];
    for (const play of rest) {
      untilNextMillisecond();
      await play();
    }
  };
  await withIdentity({ runId: 1, initTime: t0, expectedLeads: 2 }, () =>
    Promise.all([validate({ uid: 17, hotkey: '5Able' }), validate({ uid: 18, hotkey: '5Busy' })]),
  );
}

/** Spans of the SDK start at a whole millisecond: those of one have no order. */
function untilNextMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it must throw');
}
