import { printableValue } from '#semconv/printable-text';
import { attemptLine, callLine } from './attempt-line.ts';
import { totalsOf } from './attempt-totals.ts';
import type { Attempt, Explanation, FailedCheck, RunState } from './explanation.ts';
import { missingLines } from './missing-lines.ts';

/** As many bad fields are named; of more the number says enough. */
const MOST_NAMES = 6;

/** Formats the history of a miner in a run as text: each attempt, with its calls below it. */
export function explain(recorded: Explanation): string {
  const explanation = printableValue(recorded);
  const { attempts, missing_scores: missing, failed_checks: failed } = explanation;
  return [
    `Miner ${explanation.miner_uid ?? '?'} (${explanation.miner_hotkey}) in run ${explanation.run_id} ` +
      `of validator ${explanation.validator_hotkey}: ${explanation.forecast_status}, stage ${explanation.stage ?? 'unknown'}; ${scoreOf(explanation)}.`,
    ...runLines(explanation.run),
    traceLine(attempts),
    totalsLine(attempts),
    '',
    ...attemptLines(explanation),
    '',
    ...(missing.length === 0
      ? ['Every score that was expected is there.']
      : ['Scores that are missing, and why:', ...missingLines(missing)]),
    ...(failed.length === 0
      ? []
      : ['', 'Fields of the forecast that failed a check:', ...failedCheckLines(failed)]),
  ].join('\n');
}

/** Traces that were sent nowhere are marked, so that nobody looks for them. */
function traceLine(attempts: readonly Attempt[]): string {
  const isSent = new Map<string, boolean>();
  for (const { trace_id: trace, trace_sampled: sampled } of attempts)
    isSent.set(trace, isSent.get(trace) === true || sampled !== false);
  const traces = [...isSent.keys()];
  const sent = traces.filter((trace) => isSent.get(trace) === true);
  const others = traces.filter((trace) => isSent.get(trace) === false);
  const named = sent.length === 0 ? [] : [sent.join(', ')];
  const them = others.length === 1 ? 'it' : 'them';
  const marked =
    others.length === 0 ? [] : [`${others.join(', ')} (not sampled: no trace store has ${them})`];
  return `Trace: ${[...named, ...marked].join('; ')}`;
}

const scoreOf = ({ overall_forecast_score: score, miner_rank: rank }: Explanation): string =>
  score === null
    ? 'has no score'
    : `has the score ${score.toFixed(4)}, ${rank === null ? 'no rank' : `rank ${rank}`}`;

function totalsLine(attempts: readonly Attempt[]): string {
  const { attempts: count, retries, waits, calls, failed_calls: failed } = totalsOf(attempts);
  return `Totals: ${count} attempts, ${retries} retries, ${waits} waits for truth, ${calls} calls to the miner, ${failed} of them failed`;
}

/** Steps in the order of time, calls nested below. A call whose step is not recorded is listed as a step. */
function attemptLines({ attempts, run }: Pick<Explanation, 'attempts' | 'run'>): string[] {
  const isCall = ({ step_name: step }: Attempt): boolean => step === 'communication';
  const steps = new Map(attempts.filter((attempt) => !isCall(attempt)).map((step) => [step.span_id, step]));
  const isNested = (attempt: Attempt): boolean => isCall(attempt) && steps.has(attempt.parent_span_id ?? '');
  const callsOf = (step: Attempt): Attempt[] =>
    attempts.filter((attempt) => isNested(attempt) && attempt.parent_span_id === step.span_id);
  const isCutShort = (attempt: Attempt): boolean => run.is_over && isPending(attempt, attempts);
  return attempts
    .filter((attempt) => !isNested(attempt))
    .flatMap((step) => [
      attemptLine(step, { isCutShort: isCutShort(step) }),
      ...callsOf(step).map((call) => callLine(call, step)),
    ]);
}

/** Whether another attempt was scheduled after this one and never made. */
function isPending(attempt: Attempt, attempts: readonly Attempt[]): boolean {
  if (attempt.status !== 'retry_scheduled' && attempt.status !== 'waiting_for_truth') return false;
  const ofItsKind = attempts.filter(
    ({ step_name: step, lead_hours: lead }) => step === attempt.step_name && lead === attempt.lead_hours,
  );
  return ofItsKind.at(-1) === attempt;
}

/** What the run as a whole waits for, or why it ended, as text; no line when it waits for its miners only. */
function runLines({ status, error_message: message, is_over: isOver, gfs }: RunState): string[] {
  if (isOver) {
    if (status === 'completed') return [];
    return [
      `The run ended ${status ?? 'in an unknown status'}${message === null ? '.' : `: ${sentence(message)}`}`,
    ];
  }
  if (gfs === null || (gfs.error_type === null && gfs.status !== 'in_progress')) return [];
  const count = `attempt ${gfs.attempt}${gfs.max_attempts === null ? '' : ` of ${gfs.max_attempts}`}`;
  const waits = 'The run waits for GFS, and no miner is asked before: ';
  if (gfs.error_type === null) return [`${waits}${count} is running.`];
  const why = `${gfs.error_type}${gfs.error_message === null ? '' : `: ${gfs.error_message.replace(/\.$/, '')}`}`;
  const next = gfs.next_retry_time === null ? '' : ` It is tried again at ${gfs.next_retry_time}.`;
  return [`${waits}${count} failed — ${why}.${next}`];
}

const sentence = (text: string): string => `${text.replace(/\.$/, '')}.`;

/** The failed checks as text, one line a lead: `era5 24 h: 2 of 69 fields failed: coverage (2t, z500)`. */
function failedCheckLines(failedChecks: readonly FailedCheck[]): string[] {
  const leads = new Map<string, FailedCheck[]>();
  for (const check of failedChecks) {
    const lead = `${check.score_type} ${check.lead_hours} h`;
    leads.set(lead, [...(leads.get(lead) ?? []), check]);
  }
  return [...leads].map(([lead, checks]) => `  ${lead}: ${describeLead(checks)}`);
}

function describeLead(checks: readonly FailedCheck[]): string {
  const failed = checks.reduce((sum, { fields }) => sum + fields.length, 0);
  const lookedAt = checks[0]?.looked_at ?? failed;
  const isNamed = failed <= MOST_NAMES && failed < lookedAt;
  const texts = checks.map(({ failed_check: check, fields }) => {
    if (isNamed) return `${check} (${fields.join(', ')})`;
    return checks.length === 1 ? check : `${check} ${fields.length}`;
  });
  return `${failed} of ${lookedAt} fields failed: ${texts.join(', ')}`;
}
