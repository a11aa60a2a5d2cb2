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
  RUNS,
  sinceStart,
  truthDue,
  truthFound,
  type PlannedMiner,
  type PlannedRun,
} from './weeks-plan.ts';

/** Every step lasts as long. */
const STEP_MILLIS = 100;

export interface ExpectedForecast {
  readonly status: string;
  readonly position: string;
  /** Category and fault. */
  readonly error: string | null;
  readonly next: number | null;
  readonly completedAt: number | null;
  readonly scoredLeads: number;
}

const ended = (position: string, error: string | null, at: number, scoredLeads = 0): ExpectedForecast => ({
  status: error === null || position.startsWith('complete') ? 'completed' : 'failed',
  position,
  error,
  next: null,
  completedAt: at + STEP_MILLIS,
  scoredLeads,
});
const open = (status: string, position: string, next: number | null = null, error: string | null = null) => ({
  status,
  position,
  error,
  next,
  completedAt: null,
  scoredLeads: 0,
});

/** When the run ended, and how; null while it has not. */
export function runEnd(run: PlannedRun, at: number): { readonly at: number; readonly status: string } | null {
  const end = !run.hasGfs
    ? { at: sinceStart(run, AFTER.gfsFails), status: 'failed' }
    : run.abandonedAt !== null
      ? { at: run.abandonedAt, status: 'stale_abandoned' }
      : { at: lastTruth(run) + 2 * MINUTE, status: 'completed' };
  return end.at <= at ? end : null;
}

export const begunRuns = (at: number): readonly PlannedRun[] =>
  RUNS.filter((run) => sinceStart(run, 0) <= at);
export const openRuns = (at: number): readonly PlannedRun[] =>
  begunRuns(at).filter((run) => runEnd(run, at) === null);

/** Leads whose truth is looked for after this instant, with the instant. */
export function waitingLeads(run: PlannedRun, at: number): readonly { lead: number; next: number }[] {
  if (at < sinceStart(run, AFTER.day1 + 1)) return [];
  const oneOClock = (Math.floor((at - HOUR) / DAY) + 1) * DAY + HOUR;
  return LEADS.filter((lead) => truthFound(run, lead) > at).map((lead) => {
    const due = truthDue(run, lead);
    return { lead, next: due > at ? due : oneOClock };
  });
}

const nextOf = (run: PlannedRun, minutes: readonly number[], at: number): number =>
  Math.min(...minutes.map((minute) => sinceStart(run, minute)).filter((next) => next > at));

/** How the forecast stands by itself, whatever its run does; null for a forecast that has not failed early. */
function failedEarly(run: PlannedRun, miner: PlannedMiner, at: number): ExpectedForecast | null {
  if (miner.kind === 'offline') {
    const last = sinceStart(run, Math.max(...QUERY_ATTEMPTS));
    return last <= at
      ? ended('inference_failed failed', 'connection miner', last)
      : open(
          'seeded',
          'inference_requested waiting_retry',
          nextOf(run, QUERY_ATTEMPTS, at),
          'connection miner',
        );
  }
  if (isMoody(run, miner) && at >= sinceStart(run, AFTER.inferenceFails))
    return ended('inference_failed failed', 'miner_inference miner', sinceStart(run, AFTER.inferenceFails));
  if (miner.kind === 'tampering' && at >= sinceStart(run, AFTER.verify))
    return ended('verification failed', 'verification_chunk miner', sinceStart(run, AFTER.verify));
  return null;
}

/** A forecast that waits for its leads, or has all of them. */
function scoring(run: PlannedRun, { kind }: PlannedMiner, at: number): ExpectedForecast {
  if (at < sinceStart(run, AFTER.day1)) return open('seeded', 'inference_running query_successful');
  const found = LEADS.filter((lead) => truthFound(run, lead) <= at);
  const isGap = kind === 'gap' && found.includes(120);
  const scoredLeads = found.length - (isGap ? 1 : 0);
  const error = isGap ? 'data_coverage miner' : null;
  const [first] = [...waitingLeads(run, at)].sort((a, b) => a.next - b.next || a.lead - b.lead);
  if (first === undefined) return ended('complete completed', error, lastTruth(run) + MINUTE, scoredLeads);
  const status = scoredLeads === 0 ? 'day1_scored' : 'era5_scoring';
  return { ...open(status, `era5_scoring_${first.lead}h waiting_for_truth`, first.next, error), scoredLeads };
}

export function expectedForecast(run: PlannedRun, miner: PlannedMiner, at: number): ExpectedForecast {
  const end = runEnd(run, at);
  if (!run.hasGfs) {
    return end === null
      ? open('seeded', 'gfs_fetch waiting_retry', nextOf(run, GFS_ATTEMPTS, at), 'truth_not_ready upstream')
      : ended('gfs_fetch failed', 'truth_not_ready upstream', end.at);
  }
  const early = failedEarly(run, miner, at);
  if (early !== null) return early;
  if (end?.status !== 'stale_abandoned') return scoring(run, miner, at);
  const before = scoring(run, miner, end.at);
  const position = before.position.replace(/ .*/, ' failed');
  return ended(position, 'validator_internal validator', end.at, before.scoredLeads);
}

/** How the forecasts of a miner count, in the order of T0. */
export function expectedMiner(miner: PlannedMiner, at: number): Readonly<Record<string, number>> {
  const rows = begunRuns(at).map((run) => expectedForecast(run, miner, at));
  const outcomes = rows.flatMap(({ status, error, completedAt }) => {
    if (completedAt === null) return [];
    return status === 'completed'
      ? ['success']
      : [error?.endsWith(' miner') === true ? 'failure' : 'excused'];
  });
  const counted = outcomes.filter((outcome) => outcome !== 'excused').reverse();
  const streak = (outcome: string): number => {
    const other = counted.findIndex((one) => one !== outcome);
    return other === -1 ? counted.length : other;
  };
  const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
  return {
    successful: count('success'),
    failed: count('failure'),
    excused: count('excused'),
    successes: streak('success'),
    failures: streak('failure'),
  };
}

/** The forecasts that wait for truth now, by run. */
export const waitingForTruth = (run: PlannedRun, at: number): number =>
  runEnd(run, at) !== null || !run.hasGfs
    ? 0
    : MINERS.filter((miner) => expectedForecast(run, miner, at).position.endsWith('waiting_for_truth'))
        .length;
