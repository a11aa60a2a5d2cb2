import type { StepName } from '#semconv';
import type { Attempt } from './explanation.ts';

/** Phrase of each step; decisions of the orchestration are lines of the run, not of a miner. */
const STEP_PHRASES: Readonly<Record<string, string>> = {
  seed: 'the forecast was entered',
  query: 'asked the miner for a forecast',
  poll: 'asked how far the forecast is',
  verify: 'verified what the miner hosts',
  day1: 'scored day one against the GFS analysis',
  era5: 'scored against ERA5',
  communication: 'called the miner',
  aggregate: 'brought the scores together',
} satisfies Record<Exclude<StepName, 'orchestration'>, string>;

/** Indents a call below its step. */
const CALL_INDENT = ' '.repeat(4);

/**
 * One attempt as a line of text.
 *
 * @param isCutShort whether the run ended before the retry or truth that the attempt waited for
 */
export function attemptLine(attempt: Attempt, { isCutShort }: { readonly isCutShort: boolean }): string {
  const phrase = STEP_PHRASES[attempt.step_name] ?? attempt.step_name;
  const lead = attempt.lead_hours === null ? '' : `, lead ${attempt.lead_hours} h`;
  const count =
    attempt.max_attempts === null ? '' : ` [attempt ${attempt.attempt} of ${attempt.max_attempts}]`;
  return `  ${attempt.started_at}  ${phrase}${lead}${count}: ${isCutShort ? cutShortOutcomeOf(attempt) : outcomeOf(attempt)}${endOf(attempt)}`;
}

/**
 * One call to the miner as a line of text, to stand below the line of its step.
 *
 * @param step the step that made the call; an error that both have is printed once
 */
export function callLine(call: Attempt, step: Attempt): string {
  const isRepeated = call.error_message !== null && call.error_message === step.error_message;
  const outcome = isRepeated ? outcomeOf({ ...call, error_message: null }) : outcomeOf(call);
  return `  ${call.started_at}  ${CALL_INDENT}${call.substep}: ${outcome}${endOf(call)}`;
}

const endOf = ({ latency_ms: latency, span_id: span }: Attempt): string =>
  `${latency === null ? '' : `, ${latency.toFixed(1)} ms`}  (span ${span})`;

function outcomeOf(attempt: Attempt): string {
  const why = reasonOf(attempt);
  const until = attempt.next_retry_time ?? 'an unknown time';
  switch (attempt.status) {
    case 'succeeded':
      return attempt.score === null ? 'succeeded' : `succeeded, score ${attempt.score.toFixed(4)}`;
    case 'retry_scheduled':
      return why === ''
        ? `${stillRunning(attempt)}; asked again at ${until}`
        : `tried again at ${until}${why}`;
    case 'waiting_for_truth':
      return `waits until ${until}${attempt.waiting === null ? '' : `: ${attempt.waiting}`}; no attempt is used`;
    case 'in_progress':
      return 'is running';
    case 'abandoned':
      return `was abandoned${why}`;
    default:
      return `failed${why}`;
  }
}

/** Without the scheduled time, which is after the end of the run. */
function cutShortOutcomeOf(attempt: Attempt): string {
  const why = reasonOf(attempt);
  if (attempt.status === 'waiting_for_truth')
    return `waited${attempt.waiting === null ? '' : `: ${attempt.waiting}`}; the run ended before`;
  return why === ''
    ? `${stillRunning(attempt)}; the run ended before`
    : `failed${why}; the run ended before another try`;
}

function reasonOf({ error_type: type, error_message: message }: Attempt): string {
  if (type === null) return '';
  return message === null ? ` — ${type}` : ` — ${type}: ${message.replace(/\.$/, '')}`;
}

const stillRunning = ({ progress }: Attempt): string =>
  progress === null ? 'still computing' : `still computing, ${progress} %`;
