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

describe('a run', () => {
  it('a run has the status of its newest orchestration: a late one moves nothing back', () => {
    expect(rowOf(orchestrated(5000, 'awaiting_results'), orchestrated(1000, 'seeding')).status).toBe(
      'awaiting_results',
    );
    expect(rowOf(ofMiner).status, 'a miner says nothing of it').toBeNull();
  });

  it.each(TERMINAL_RUN_STATUSES)(
    'a run is over when it is %s, at the end of the span that says so',
    (status) => {
      expect(rowOf(orchestrated(0, 'seeding'), orchestrated(5000, status)).completionTime).toBe(at(5100));
    },
  );

  it.each(TERMINAL_RUN_STATUSES)('a run that was %s stays so, whichever span ends later', (status) => {
    const late = orchestrated(9000, 'awaiting_results');
    expect(rowOf(late, orchestrated(5000, status))).toMatchObject({ status, completionTime: at(5100) });
  });

  it('a run is not over while it awaits results', () => {
    expect(rowOf(orchestrated(5000, 'awaiting_results')).completionTime).toBeNull();
  });

  it('a run has the trace of its own steps and not that of a miner', () => {
    expect(rowOf(ofMiner).traceId).toBeNull();
    expect(rowOf(ofMiner, orchestrated(20_000, 'seeding')).traceId).toBe('a'.repeat(32));
  });

  it('a run learns its T0 from any of its steps, and everything else that they say', () => {
    expect(rowOf(ofMiner)).toMatchObject({ initTime: Date.UTC(2026, 10, 23) * 1000, updatedAt: at(9100) });
    const failed = orchestrated(0, 'failed', {
      'weather.run.error_message': 'no miners found',
      'weather.run.input_metadata': '{"cycles":["2026-11-23T00Z"]}',
      'weather.run.initiation_time': '2026-11-23T18:00:00Z',
      'weather.run.target_time': '2026-12-03T00:00:00Z',
    });
    expect(rowOf(failed)).toMatchObject({
      errorMessage: 'no miners found',
      inputMetadata: { cycles: ['2026-11-23T00Z'] },
      initiationTime: at(0),
      targetTime: Date.UTC(2026, 11, 3) * 1000,
    });
  });

  it('a run was aggregated when its own aggregation ended, not when that of a miner did', () => {
    const aggregate = { step: 'aggregate', at: 5000 } as const;
    expect(rowOf(endedFact(aggregate)).finalScoringAttemptedTime).toBeNull();
    const own = { ...aggregate, substep: 'run_scores', miner: null };
    expect(rowOf(runningFact(own)).finalScoringAttemptedTime).toBeNull();
    expect(rowOf(endedFact(own)).finalScoringAttemptedTime).toBe(at(5100));
  });
});
