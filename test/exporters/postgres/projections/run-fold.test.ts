import { describe, expect, it } from 'vitest';
import { emptyRunFold, foldRun, toRunRow } from '#postgres/projections/run-fold';
import type { StepFact } from '#facts/step-fact';
import { TERMINAL_RUN_STATUSES } from '#semconv';
import { endedFact, runningFact } from '#test/support/facts';
import { T } from '#test/support/spans';

const rowOf = (...facts: readonly StepFact[]) => toRunRow(foldRun(emptyRunFold, facts));
const at = (ms: number): number => Number(T / 1000n) + ms * 1000;

const orchestrated = (ms: number, status: string, more: Readonly<Record<string, unknown>> = {}) =>
  endedFact({
    step: 'orchestration',
    miner: null,
    at: ms,
    traceId: 'a'.repeat(32),
    attributes: { 'weather.run.status': status, ...more },
  });
const ofMiner = endedFact({ step: 'query', at: 9000, traceId: 'b'.repeat(32) });

describe('toRunRow', () => {
  it('the status is that of the newest orchestration, and a late one does not move it back', () => {
    expect(rowOf(orchestrated(5000, 'awaiting_results'), orchestrated(1000, 'seeding')).status).toBe(
      'awaiting_results',
    );
    expect(rowOf(ofMiner).status, 'a step of a miner sets no run status').toBeNull();
  });

  it.each(TERMINAL_RUN_STATUSES)(
    'a run that is %s completes at the end of the span with that status',
    (status) => {
      expect(rowOf(orchestrated(0, 'seeding'), orchestrated(5000, status)).completionTime).toBe(at(5100));
    },
  );

  it.each(TERMINAL_RUN_STATUSES)(
    'a run that was %s keeps its status, whichever span ends later',
    (status) => {
      const late = orchestrated(9000, 'awaiting_results');
      expect(rowOf(late, orchestrated(5000, status))).toMatchObject({ status, completionTime: at(5100) });
    },
  );

  it('a run that awaits results is not complete', () => {
    expect(rowOf(orchestrated(5000, 'awaiting_results')).completionTime).toBeNull();
  });

  it("the trace is that of the run's own steps and not that of a miner", () => {
    expect(rowOf(ofMiner).traceId).toBeNull();
    expect(rowOf(ofMiner, orchestrated(20_000, 'seeding')).traceId).toBe('a'.repeat(32));
  });

  it('T0 and the other fields come from any step of the run', () => {
    expect(rowOf(ofMiner)).toMatchObject({ initTime: Date.UTC(2026, 10, 23) * 1000, updatedAt: at(9100) });
    const orchestration = orchestrated(0, 'failed', {
      'weather.run.error_message': 'no miners found',
      'weather.run.input_metadata': '{"cycles":["2026-11-23T00Z"]}',
      'weather.run.initiation_time': '2026-11-23T18:00:00Z',
      'weather.run.target_time': '2026-12-03T00:00:00Z',
    });
    expect(rowOf(orchestration)).toMatchObject({
      errorMessage: 'no miners found',
      inputMetadata: { cycles: ['2026-11-23T00Z'] },
      initiationTime: at(0),
      targetTime: Date.UTC(2026, 11, 3) * 1000,
    });
  });

  it("the final scoring time is that of the run's own aggregation, not of a miner's", () => {
    const aggregate = { step: 'aggregate', at: 5000 } as const;
    expect(rowOf(endedFact(aggregate)).finalScoringAttemptedTime).toBeNull();
    const own = { ...aggregate, substep: 'run_scores', miner: null };
    expect(rowOf(runningFact(own)).finalScoringAttemptedTime).toBeNull();
    expect(rowOf(endedFact(own)).finalScoringAttemptedTime).toBe(at(5100));
  });
});
