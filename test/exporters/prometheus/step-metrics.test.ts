import { describe, expect, it } from 'vitest';
import { STEP_STATUSES } from '#semconv';
import { METRICS } from '#semconv/metrics';
import {
  componentScore,
  errorFact,
  exporterFor,
  labelsOf,
  OPENMETRICS,
  shown,
  SPAN_ID,
  stepFact,
  TRACE_ID,
  valueOf,
} from './fixtures.ts';

const DURATION = METRICS.stepDuration.name;
const observing = (...facts: Parameters<typeof stepFact>) => {
  const exporter = exporterFor();
  exporter.observe({ steps: [stepFact(...facts)], minerStats: [] });
  return exporter;
};

describe('a finished step', () => {
  it('a finished step is counted under its substep without the number of the attempt, and never by miner', async () => {
    const exporter = exporterFor();
    exporter.observe({
      steps: ['attempt_1', 'attempt_2'].map((substep) => stepFact({ substep })),
      minerStats: [],
    });
    expect(await shown(exporter, METRICS.steps.name)).toEqual([
      `${METRICS.steps.name}{step="poll",substep="attempt",outcome="succeeded"} 2`,
    ]);
  });

  it('a finished step falls into the bucket of its latency in seconds', async () => {
    const lines = await shown(observing({ latencyNanos: 40_000_000 }), DURATION);
    const bounds = new Map(lines.map((line) => [labelsOf(line)['le'], valueOf(line)]));
    expect([bounds.get('0.025'), bounds.get('0.05'), bounds.get('600.0'), bounds.get('+Inf')]).toEqual([
      0, 1, 1, 1,
    ]);
    expect(lines.at(-2)).toBe(`${DURATION}_sum{step="poll",substep="attempt",outcome="succeeded"} 0.04`);
  });

  it('a finished step of eleven minutes is above all bounds and still counted', async () => {
    const lines = await shown(observing({ latencyNanos: 660e9 }), DURATION);
    const bounds = new Map(lines.map((line) => [labelsOf(line)['le'], valueOf(line)]));
    expect([bounds.get('600.0'), bounds.get('+Inf')]).toEqual([0, 1]);
  });

  it('a finished step without a latency is counted and not timed', async () => {
    const exporter = observing({ latencyNanos: null, status: 'abandoned' });
    expect((await shown(exporter, METRICS.steps.name)).map(valueOf)).toEqual([1]);
    expect(await shown(exporter, DURATION)).toEqual([]);
  });

  it('a finished step has its latency when it failed, too', async () => {
    const exporter = observing({ status: 'failed', error: errorFact('timeout') });
    expect((await shown(exporter, `${DURATION}_count`)).map((line) => labelsOf(line)['outcome'])).toEqual([
      'failed',
    ]);
  });

  it('a finished step keeps its outcome, whichever of the closed set it is', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: STEP_STATUSES.map((status) => stepFact({ status })), minerStats: [] });
    const outcomes = (await shown(exporter, METRICS.steps.name)).map((line) => labelsOf(line)['outcome']);
    expect(outcomes).toEqual([...STEP_STATUSES]);
  });

  it('a finished step that tells an error is counted by category and by who has to act', async () => {
    const exporter = exporterFor();
    const errors = (['timeout', 'truth_not_ready', 'lock_busy', 'timeout'] as const).map(errorFact);
    exporter.observe({ steps: errors.map((error) => stepFact({ error })), minerStats: [] });
    const name = METRICS.stepErrors.name;
    expect(await shown(exporter, name)).toEqual([
      `${name}{step="poll",error_type="timeout",fault="miner"} 2`,
      `${name}{step="poll",error_type="truth_not_ready",fault="upstream"} 1`,
      `${name}{step="poll",error_type="lock_busy",fault="validator"} 1`,
    ]);
  });

  it('a finished step counts its component scores, adjusted values and truncation', async () => {
    const exporter = observing({
      componentScores: [componentScore('era5'), componentScore('era5'), componentScore('day1')],
      adjustments: { not_finite: 2 },
      truncated: true,
    });
    expect(await shown(exporter, METRICS.componentScores.name)).toEqual([
      `${METRICS.componentScores.name}{score_type="era5"} 2`,
      `${METRICS.componentScores.name}{score_type="day1"} 1`,
    ]);
    expect(await shown(exporter, METRICS.adjustedValues.name)).toEqual([
      `${METRICS.adjustedValues.name}{reason="not_finite"} 2`,
    ]);
    expect((await shown(exporter, METRICS.truncatedSpans.name)).map(valueOf)).toEqual([1]);
  });
});

describe('a step that is still running', () => {
  it('a step that is still running is not counted', async () => {
    const exporter = observing({ phase: 'started', status: 'in_progress', latencyNanos: null });
    expect(await shown(exporter, METRICS.steps.name)).toEqual([]);
  });
});

describe('an exemplar of a step', () => {
  it('an exemplar of a step stands on the bucket that the step fell into', async () => {
    const lines = await shown(observing({}), DURATION, { accept: OPENMETRICS });
    const withExemplar = lines.filter((line) => line.includes(' # '));
    expect(withExemplar).toHaveLength(1);
    expect(withExemplar[0]).toContain('le="0.05"');
    expect(withExemplar[0]).toContain(`# {trace_id="${TRACE_ID}",span_id="${SPAN_ID}"} 0.04 `);
  });

  it('an exemplar of a step is not part of the classic text, which cannot hold it', async () => {
    expect((await shown(observing({}), DURATION)).filter((line) => line.includes('#'))).toEqual([]);
  });

  it('an exemplar of a step is missing when the ids are too long, and the latency is not', async () => {
    const lines = await shown(observing({ traceId: 'a'.repeat(200) }), DURATION, { accept: OPENMETRICS });
    expect(lines.filter((line) => line.includes(' # '))).toEqual([]);
    expect(valueOf(lines.at(-1))).toBe(1);
  });
});
