import { describe, expect, it } from 'vitest';
import { totalsOf } from '#reports/attempt-totals';
import { explain } from '#reports/explain';
import type { Attempt, FailedCheck } from '#reports/explanation';
import { attempt, call, explanation, failedCheck, missingScore, runCourse } from './support/fixtures.ts';

const RETRIED_AT = '2026-11-23T18:01:00.000Z';
/** The line of one attempt, without its time and its end. */
function outcomeOf(changes: Partial<Attempt>): string {
  const run = runCourse({ status: 'awaiting_results', is_over: false });
  const [, , , , line = ''] = explain(explanation({ run, attempts: [attempt(changes)] })).split('\n');
  return line.replace(/^ {2}\S+ {2}/, '').replace(/, 12\.3 ms {2}\(span \w+\)$/, '');
}

describe('explain', () => {
  it('the text has the miner, trace, totals, each step with its calls, and the missing scores', () => {
    expect(explain(explanation())).toBe(`\
Miner 7 (5MinerSeven) in run 3 of validator 5Validator: completed, stage complete; has the score 0.8071, rank 1.
Trace: 0af7651916cd43dd8448eb211c80319c
Totals: 1 attempts, 0 retries, 0 waits for truth, 1 calls to the miner, 0 of them failed

  2026-11-23T18:00:00.000Z  asked the miner for a forecast [attempt 1 of 4]: succeeded, 12.3 ms  (span b7ad6b7169203331)
  2026-11-23T18:00:00.000Z      initiate_fetch: succeeded, 12.3 ms  (span c8be7c8270314442)

Every score that was expected is there.`);
  });

  it('a trace that was sent nowhere is marked, and one that any of its steps was sent with is not', () => {
    const traceOf = (...flags: (boolean | null)[]) =>
      explain(explanation({ attempts: flags.map((flag) => attempt({ trace_sampled: flag })) })).split(
        '\n',
      )[1];
    const id = attempt().trace_id;
    expect(traceOf(false, false)).toBe(`Trace: ${id} (not sampled: no trace store has it)`);
    const others = ['b', 'c'].map((digit) => attempt({ trace_id: digit.repeat(32), trace_sampled: false }));
    expect(explain(explanation({ attempts: [...others, attempt()] })).split('\n')[1]).toBe(
      `Trace: ${id}; ${'b'.repeat(32)}, ${'c'.repeat(32)} (not sampled: no trace store has them)`,
    );
    for (const flags of [[false, true], [null, false], [true]])
      expect(traceOf(...flags)).toBe(`Trace: ${id}`);
  });

  it('a call is below its step even if both began at the same instant and the call is listed first', () => {
    const lines = explain(explanation({ attempts: [call(), attempt()] })).split('\n');
    expect(lines[4]).toContain('asked the miner');
    expect(lines[5]).toContain('    initiate_fetch');
  });

  it('a call whose step is not recorded is listed as a step', () => {
    const lines = explain(explanation({ attempts: [call({ parent_span_id: null })] })).split('\n');
    expect(lines[4]).toContain('called the miner: succeeded');
  });

  it('an error that the step and its call share is printed once', () => {
    const error = { error_type: 'http_5xx', error_message: 'HTTP 503.' };
    const failed = attempt({ ...error, status: 'retry_scheduled', next_retry_time: RETRIED_AT });
    const text = explain(explanation({ attempts: [failed, call({ ...error, status: 'failed' })] }));
    expect(text.match(/HTTP 503/g)).toHaveLength(1);
    expect(text).toContain('initiate_fetch: failed — http_5xx, 12.3 ms');
  });

  it('a call that was abandoned with its step is printed as abandoned', () => {
    const crash = {
      status: 'abandoned',
      error_type: 'process_crash',
      error_message: 'the process ended',
    } as const;
    const text = explain(explanation({ attempts: [attempt(crash), call(crash)] }));
    expect(text).toContain('[attempt 1 of 4]: was abandoned — process_crash: the process ended, 12.3 ms');
    expect(text).toContain('initiate_fetch: was abandoned — process_crash, 12.3 ms');
  });

  it.each<[Partial<Attempt>, string]>([
    [{ status: 'in_progress' }, 'is running'],
    [
      { status: 'failed', error_type: 'timeout', error_message: 'nothing came.' },
      'failed — timeout: nothing came',
    ],
    [{ status: 'abandoned', error_type: null }, 'was abandoned'],
    [
      { status: 'retry_scheduled', error_type: 'timeout', next_retry_time: RETRIED_AT },
      `tried again at ${RETRIED_AT} — timeout`,
    ],
    [{ status: 'retry_scheduled', error_type: 'timeout' }, 'tried again at an unknown time — timeout'],
    [
      { status: 'retry_scheduled', next_retry_time: RETRIED_AT },
      `still computing; asked again at ${RETRIED_AT}`,
    ],
    [
      { status: 'retry_scheduled', next_retry_time: RETRIED_AT, progress: 45 },
      `still computing, 45 %; asked again at ${RETRIED_AT}`,
    ],
    [
      { status: 'waiting_for_truth', next_retry_time: RETRIED_AT, waiting: 'truth is due' },
      `waits until ${RETRIED_AT}: truth is due; no attempt is used`,
    ],
    [{ status: 'succeeded', score: 0 }, 'succeeded, score 0.0000'],
  ])('an attempt with %o is described as: %s', (changes, words) => {
    expect(outcomeOf(changes)).toBe(`asked the miner for a forecast [attempt 1 of 4]: ${words}`);
  });

  it('an abandoned run prints only retry times that came', () => {
    const run = runCourse({ status: 'stale_abandoned', error_message: 'The user ended it.' });
    const waits = { step_name: 'era5', lead_hours: 24, status: 'waiting_for_truth' } as const;
    const retried = attempt({
      status: 'retry_scheduled',
      error_type: 'timeout',
      next_retry_time: RETRIED_AT,
    });
    const attempts = [
      retried,
      { ...retried, attempt: 2 },
      attempt({ ...waits, next_retry_time: '2026-11-29T06:00:00.000Z', waiting: 'truth is due' }),
      attempt({ step_name: 'poll', status: 'retry_scheduled', next_retry_time: '2026-11-29T06:00:00.000Z' }),
    ];
    const text = explain(explanation({ run, attempts }));
    expect(text).toContain('\nThe run ended stale_abandoned: The user ended it.\nTrace:');
    expect(text).toContain(`[attempt 1 of 4]: tried again at ${RETRIED_AT} — timeout`);
    expect(text).toContain('[attempt 2 of 4]: failed — timeout; the run ended before another try');
    expect(text).toContain('waited: truth is due; the run ended before');
    expect(text).toContain('still computing; the run ended before');
    expect(text).not.toContain('2026-11-29');
  });

  it("a run that waits for GFS prints reason and next attempt before the miner's steps", () => {
    const gfs = {
      attempt: 3,
      max_attempts: 6,
      status: 'retry_scheduled',
      error_type: 'truth_not_ready',
      error_message: 'The analysis store does not have it yet.',
      next_retry_time: RETRIED_AT,
    };
    const waiting = runCourse({ status: 'seeding', is_over: false, gfs });
    expect(explain(explanation({ run: waiting })).split('\n')[1]).toBe(
      'The run waits for GFS, and no miner is asked before: attempt 3 of 6 failed — truth_not_ready: ' +
        `The analysis store does not have it yet. It is tried again at ${RETRIED_AT}.`,
    );
    const running = { ...gfs, status: 'in_progress', error_type: null, error_message: null };
    expect(explain(explanation({ run: { ...waiting, gfs: running } }))).toContain(
      'attempt 3 of 6 is running.',
    );
    const read = { ...gfs, status: 'succeeded', error_type: null, error_message: null };
    expect(explain(explanation({ run: { ...waiting, gfs: read } })).split('\n')[1]).toMatch(/^Trace: /);
  });

  it('the lead of a scored step is printed', () => {
    const scored = outcomeOf({ step_name: 'era5', lead_hours: 48, max_attempts: 5, score: 0.5 });
    expect(scored).toBe('scored against ERA5, lead 48 h [attempt 1 of 5]: succeeded, score 0.5000');
  });

  it('a missing score is printed with its reason', () => {
    const unscored = explanation({
      overall_forecast_score: null,
      miner_rank: null,
      miner_uid: null,
      stage: null,
      missing_scores: [missingScore()],
    });
    expect(explain(unscored)).toContain(
      'Miner ? (5MinerSeven) in run 3 of validator 5Validator: completed, stage unknown; has no score.',
    );
    expect(explain(unscored)).toMatch(/why:\n {2}era5 24 h: Field 2t/);
  });
});

describe('the fields that failed a check', () => {
  const linesOf = (...failedChecks: readonly FailedCheck[]): string[] => {
    const [, after = ''] = explain(explanation({ failed_checks: failedChecks })).split(
      'Fields of the forecast that failed a check:\n',
    );
    return after.split('\n');
  };
  const fields = Array.from({ length: 69 }, (_, index) => `z${index}`);

  it('a forecast that is bad throughout has one short line for each lead', () => {
    expect(linesOf(failedCheck({ fields }), failedCheck({ fields, lead_hours: 48 }))).toEqual([
      '  era5 24 h: 69 of 69 fields failed: coverage',
      '  era5 48 h: 69 of 69 fields failed: coverage',
    ]);
  });

  it('a few bad fields are named below their checks', () => {
    const extreme = failedCheck({ failed_check: 'extreme_value', fields: ['2t', 'msl'] });
    expect(linesOf(failedCheck(), extreme)).toEqual([
      '  era5 24 h: 3 of 69 fields failed: coverage (z500), extreme_value (2t, msl)',
    ]);
  });

  it('many bad fields are counted for each check', () => {
    const absent = failedCheck({ failed_check: 'missing_level', fields: fields.slice(0, 10) });
    expect(linesOf(failedCheck(), absent)).toEqual([
      '  era5 24 h: 11 of 69 fields failed: coverage 1, missing_level 10',
    ]);
  });
});

describe('totalsOf', () => {
  it('totals count retries after failures only, and calls apart from steps', () => {
    const retried = attempt({ status: 'retry_scheduled', error_type: 'timeout' });
    const polled = attempt({ step_name: 'poll', status: 'retry_scheduled' });
    const waited = attempt({ step_name: 'era5', status: 'waiting_for_truth' });
    const calls = [call(), call({ status: 'failed', error_type: 'timeout' })];
    expect(totalsOf([retried, polled, waited, attempt(), ...calls])).toEqual({
      attempts: 4,
      retries: 1,
      waits: 1,
      calls: 2,
      failed_calls: 1,
    });
  });

  it('totals without attempts are zero', () => {
    expect(Object.values(totalsOf([]))).toEqual([0, 0, 0, 0, 0]);
  });
});
