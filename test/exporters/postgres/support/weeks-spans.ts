import type { ObservedSpan } from '#facts/observed-span';
import { componentScore, endedSpan, T, type SpanOptions } from '#test/support/spans';
import {
  AFTER,
  DAY,
  GFS_ATTEMPTS,
  HOUR,
  isMoody,
  lastTruth,
  LEADS,
  MINERS,
  MINUTE,
  QUERY_ATTEMPTS,
  sinceStart,
  truthDue,
  truthFound,
  type PlannedMiner,
  type PlannedRun,
} from './weeks-plan.ts';

/** A span of the plan, with its start, milliseconds since 1970. */
export interface PlannedSpan {
  readonly at: number;
  readonly runId: number;
  readonly span: ObservedSpan;
}

const iso = (at: number): string => new Date(at).toISOString();
const retry = (at: number) => ({ 'weather.retry.next_time': iso(at) });

function planned(run: PlannedRun, at: number, options: SpanOptions): PlannedSpan {
  const attributes = { 'weather.run.init_time': iso(run.t0), ...options.attributes };
  const span = endedSpan({ ...options, run: run.id, at: at - Number(T / 1_000_000n), attributes });
  return { at, runId: run.id, span };
}

const runStatus = (run: PlannedRun, at: number, status: string, error?: { type: string; message: string }) =>
  planned(run, at, {
    step: 'orchestration',
    miner: null,
    attributes: {
      'weather.run.status': status,
      ...(error && { 'weather.run.error_type': error.type, 'weather.run.error_message': error.message }),
    },
  });

const NO_GFS = { type: 'truth_not_ready', message: 'The analysis store does not have it yet.' } as const;

/** The attempts at GFS: one, or six that fail and the end of the run. */
function gfsSpans(run: PlannedRun): readonly PlannedSpan[] {
  const fetch = { step: 'seed', substep: 'gfs_download', miner: null, maxAttempts: 6 } as const;
  if (run.hasGfs)
    return [
      planned(run, sinceStart(run, 0), { ...fetch, attributes: { 'weather.run.status': 'gfs_ready' } }),
    ];
  const attempts = GFS_ATTEMPTS.map((minutes, index) => {
    const next = GFS_ATTEMPTS[index + 1];
    return planned(run, sinceStart(run, minutes), {
      ...fetch,
      attempt: index + 1,
      error: NO_GFS,
      status: next === undefined ? 'failed' : 'retry_scheduled',
      attributes: next === undefined ? {} : retry(sinceStart(run, next)),
    });
  });
  return [...attempts, runStatus(run, sinceStart(run, AFTER.gfsFails), 'failed', NO_GFS)];
}

function querySpans(run: PlannedRun, miner: PlannedMiner): readonly PlannedSpan[] {
  const query = { step: 'query', miner, maxAttempts: 4 } as const;
  if (miner.kind !== 'offline')
    return [
      planned(run, sinceStart(run, AFTER.query), {
        ...query,
        attributes: { 'weather.stage': 'inference_running', 'weather.stage.status': 'query_successful' },
      }),
    ];
  return QUERY_ATTEMPTS.map((minutes, index) => {
    const next = QUERY_ATTEMPTS[index + 1];
    return planned(run, sinceStart(run, minutes), {
      ...query,
      attempt: index + 1,
      error: { type: 'connection', message: 'refused' },
      status: next === undefined ? 'failed' : 'retry_scheduled',
      attributes:
        next === undefined
          ? { 'weather.stage': 'inference_failed', 'weather.forecast.status': 'failed' }
          : retry(sinceStart(run, next)),
    });
  });
}

/** What a miner hosts: nothing, other bytes than it froze, or a forecast with its day-one score. */
function hostingSpans(run: PlannedRun, miner: PlannedMiner): readonly PlannedSpan[] {
  const failed = { 'weather.forecast.status': 'failed' };
  if (isMoody(run, miner))
    return [
      planned(run, sinceStart(run, AFTER.inferenceFails), {
        step: 'poll',
        miner,
        error: { type: 'miner_inference', message: 'out of GPU memory' },
        attributes: { 'weather.stage': 'inference_failed', ...failed },
      }),
    ];
  const verify = { step: 'verify', miner, maxAttempts: 4 } as const;
  if (miner.kind === 'tampering') {
    const error = {
      type: 'verification_chunk',
      message: 'File time/0 is not the one of the manifest.',
    } as const;
    return [planned(run, sinceStart(run, AFTER.verify), { ...verify, error, attributes: failed })];
  }
  return [
    planned(run, sinceStart(run, AFTER.verify), {
      ...verify,
      attributes: { 'weather.forecast.status': 'input_received' },
    }),
    planned(run, sinceStart(run, AFTER.day1), {
      step: 'day1',
      miner,
      lead: 12,
      attributes: { 'weather.score.initial': 0.9, 'weather.forecast.status': 'day1_scored' },
    }),
  ];
}

/** The waits of a lead, daily once its truth is due, and its end. */
function leadSpans(run: PlannedRun, miner: PlannedMiner, lead: number): readonly PlannedSpan[] {
  const found = truthFound(run, lead);
  const due = truthDue(run, lead);
  const looks = [sinceStart(run, AFTER.day1 + 1), due];
  for (let at = due + 19 * HOUR; at <= found; at += DAY) looks.push(at);
  const era5 = { step: 'era5', miner, lead, maxAttempts: 5 } as const;
  return looks.map((at, index) => {
    const next = looks[index + 1];
    if (next !== undefined) {
      const attributes = { ...retry(next), 'weather.truth.due_time': iso(due) };
      return planned(run, at, { ...era5, status: 'waiting_for_truth', attributes });
    }
    if (miner.kind === 'gap' && lead === 120)
      return planned(run, at, { ...era5, error: { type: 'data_coverage', message: 'too few values' } });
    const component = {
      score_type: 'era5',
      variable_name: '2t',
      rmse: 1,
      valid_time: iso(run.t0 + lead * HOUR),
    };
    return planned(run, at, {
      ...era5,
      attributes: { 'weather.score.era5': 0.8, 'weather.forecast.status': 'era5_scoring' },
      events: [componentScore(component)],
    });
  });
}

function minerSpans(run: PlannedRun, miner: PlannedMiner): readonly PlannedSpan[] {
  const seeded = { 'weather.forecast.status': 'seeded', 'weather.stage': 'init' };
  const seed = planned(run, sinceStart(run, 0), { step: 'seed', miner, attributes: seeded });
  if (!run.hasGfs) return [seed];
  const first = [seed, ...querySpans(run, miner)];
  if (miner.kind === 'offline') return first;
  const hosted = [...first, ...hostingSpans(run, miner)];
  if (miner.kind === 'tampering' || isMoody(run, miner)) return hosted;
  const completed = { 'weather.forecast.status': 'completed', 'weather.stage.status': 'completed' };
  const end = planned(run, lastTruth(run) + MINUTE, { step: 'aggregate', miner, attributes: completed });
  return [...hosted, ...LEADS.flatMap((lead) => leadSpans(run, miner, lead)), end];
}

/** Everything that is recorded of a run, in no order. */
export function spansOfRun(run: PlannedRun): readonly PlannedSpan[] {
  const begun = [runStatus(run, sinceStart(run, -1), 'seeding'), ...gfsSpans(run)];
  const own = run.hasGfs
    ? [
        ...begun,
        runStatus(run, sinceStart(run, AFTER.query + 1), 'awaiting_results'),
        runStatus(run, lastTruth(run) + 2 * MINUTE, 'completed'),
      ]
    : begun;
  const all = [...own, ...MINERS.flatMap((miner) => minerSpans(run, miner))];
  const { abandonedAt } = run;
  if (abandonedAt === null) return all;
  const why = { type: 'validator_internal', message: 'The user ended it before its time.' };
  return [...all.filter(({ at }) => at < abandonedAt), runStatus(run, abandonedAt, 'stale_abandoned', why)];
}
