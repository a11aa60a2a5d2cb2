import type { Attempt, Explanation } from './explanation.ts';

const STEP_WORDS: Readonly<Record<string, string>> = {
  seed: 'the forecast was entered',
  query: 'asked the miner for a forecast',
  poll: 'asked how far the forecast is',
  verify: 'verified what the miner hosts',
  day1: 'scored day one against the GFS analysis',
  era5: 'scored against ERA5',
  communication: 'called the miner',
  aggregate: 'brought the scores together',
};

function outcomeOf(attempt: Attempt): string {
  const why = attempt.error_type === null ? '' : ` — ${attempt.error_type}: ${attempt.error_message ?? ''}`;
  const until = attempt.next_retry_time ?? 'an unknown time';
  switch (attempt.status) {
    case 'succeeded':
      return attempt.score === null ? 'succeeded' : `succeeded, score ${attempt.score.toFixed(4)}`;
    case 'retry_scheduled':
      return `to be tried again at ${until}${why}`;
    case 'waiting_for_truth':
      return `waits for ERA5 until ${until}; no attempt is used`;
    case 'in_progress':
      return 'is running';
    case 'abandoned':
      return `was abandoned${why}`;
    default:
      return `failed${why}`;
  }
}

function lineOf(attempt: Attempt): string {
  const words = STEP_WORDS[attempt.step_name] ?? attempt.step_name;
  const call = attempt.step_name === 'communication' ? ` (${attempt.substep})` : '';
  const lead = attempt.lead_hours === null ? '' : `, lead ${attempt.lead_hours} h`;
  const count =
    attempt.max_attempts === null ? '' : ` [attempt ${attempt.attempt} of ${attempt.max_attempts}]`;
  const took = attempt.latency_ms === null ? '' : `, ${attempt.latency_ms.toFixed(1)} ms`;
  return `  ${attempt.started_at}  ${words}${call}${lead}${count}: ${outcomeOf(attempt)}${took}  (span ${attempt.span_id})`;
}

function missingLines({ missing_scores: missing }: Explanation): string[] {
  if (missing.length === 0) return ['', 'Every score that was expected is there.'];
  const lines = missing.map((score) => {
    const lead = score.lead_hours === null ? '' : ` ${score.lead_hours} h`;
    const who = score.fault === null ? '' : ` Fault: ${score.fault}.`;
    const next =
      score.next_retry_time === null
        ? ' No retry will come.'
        : ` Next try at ${score.next_retry_time}, ${score.retries_remaining ?? 'unknown'} retries left after it.`;
    return `  ${score.score_type}${lead}: ${score.reason}.${who}${next}`;
  });
  return ['', 'Scores that are missing, and why:', ...lines];
}

/** Tells in plain words what happened to a miner in a run. */
export function explain(explanation: Explanation): string {
  const { attempts, overall_forecast_score: score, miner_rank: rank } = explanation;
  const scored =
    score === null ? 'has no score' : `has the score ${score.toFixed(4)}, rank ${rank ?? 'unknown'}`;
  const traces = [...new Set(attempts.map(({ trace_id }) => trace_id))];
  return [
    `Miner ${explanation.miner_uid ?? '?'} (${explanation.miner_hotkey}) in run ${explanation.run_id}: ` +
      `${explanation.forecast_status}, stage ${explanation.stage ?? 'unknown'}; ${scored}.`,
    `Trace: ${traces.join(', ')}`,
    '',
    ...attempts.map(lineOf),
    ...missingLines(explanation),
  ].join('\n');
}
