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
const observing = (...fields: Parameters<typeof stepFact>) => {
  const exporter = exporterFor();
  exporter.observe({ steps: [stepFact(...fields)], minerStats: [] });
  return exporter;
};

describe('Finished steps', () => {
  it('a step is counted under its substep without the attempt number, and never by miner', async () => {
    const exporter = exporterFor();
    exporter.observe({
      steps: ['attempt_1', 'attempt_2'].map((substep) => stepFact({ substep })),
      minerStats: [],
    });
    expect(await shown(exporter, METRICS.steps.name)).toEqual([
      `${METRICS.steps.name}{step="poll",substep="attempt",outcome="succeeded"} 2`,
    ]);
  });

  it('a step falls into the bucket of its latency in seconds', async () => {
    const lines = await shown(observing({ latencyNanos: 40_000_000 }), DURATION);
    const bounds = new Map(lines.map((line) => [labelsOf(line)['le'], valueOf(line)]));
    expect([bounds.get('0.025'), bounds.get('0.05'), bounds.get('600.0'), bounds.get('+Inf')]).toEqual([
      0, 1, 1, 1,
    ]);
    expect(lines.at(-2)).toBe(`${DURATION}_sum{step="poll",substep="attempt",outcome="succeeded"} 0.04`);
  });

  it('a step of eleven minutes is above all bounds and still counted', async () => {
    const lines = await shown(observing({ latencyNanos: 660e9 }), DURATION);
    const bounds = new Map(lines.map((line) => [labelsOf(line)['le'], valueOf(line)]));
    expect([bounds.get('600.0'), bounds.get('+Inf')]).toEqual([0, 1]);
  });

  it('a step without a latency is counted and not timed', async () => {
    const exporter = observing({ latencyNanos: null, status: 'abandoned' });
    expect((await shown(exporter, METRICS.steps.name)).map(valueOf)).toEqual([1]);
    expect(await shown(exporter, DURATION)).toEqual([]);
  });

  it('a failed step has its latency, too', async () => {
    const exporter = observing({ status: 'failed', error: errorFact('timeout') });
    expect((await shown(exporter, `${DURATION}_count`)).map((line) => labelsOf(line)['outcome'])).toEqual([
      'failed',
    ]);
  });

  it('every outcome of the closed set is kept as a label', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: STEP_STATUSES.map((status) => stepFact({ status })), minerStats: [] });
    const outcomes = (await shown(exporter, METRICS.steps.name)).map((line) => labelsOf(line)['outcome']);
    expect(outcomes).toEqual([...STEP_STATUSES]);
  });

  it('a step with an error is counted by category and by who is at fault', async () => {
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

  it('an error of a step of the run itself, which calls no miner, is never counted as the fault of a miner', async () => {
    const exporter = exporterFor();
    const ofRun = stepFact({ error: errorFact('timeout'), minerHotkey: null, minerUid: null });
    exporter.observe({ steps: [ofRun], minerStats: [] });
    const name = METRICS.stepErrors.name;
    expect(await shown(exporter, name)).toEqual([
      `${name}{step="poll",error_type="timeout",fault="upstream"} 1`,
    ]);
  });

  it('component scores, adjusted values and truncation of a step are counted', async () => {
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

describe('Running steps', () => {
  it('a running step is not counted', async () => {
    const exporter = observing({ phase: 'started', status: 'in_progress', latencyNanos: null });
    expect(await shown(exporter, METRICS.steps.name)).toEqual([]);
  });
});

describe('Exemplars of steps', () => {
  it('the exemplar is on the bucket of the step', async () => {
    const lines = await shown(observing({}), DURATION, { accept: OPENMETRICS });
    const withExemplar = lines.filter((line) => line.includes(' # '));
    expect(withExemplar).toHaveLength(1);
    expect(withExemplar[0]).toContain('le="0.05"');
    expect(withExemplar[0]).toContain(`# {trace_id="${TRACE_ID}",span_id="${SPAN_ID}"} 0.04 `);
  });

  it('the classic text, which has no exemplars, leaves it out', async () => {
    expect((await shown(observing({}), DURATION)).filter((line) => line.includes('#'))).toEqual([]);
  });

  it('ids that are too long lose the exemplar, not the latency', async () => {
    const lines = await shown(observing({ traceId: 'a'.repeat(200) }), DURATION, { accept: OPENMETRICS });
    expect(lines.filter((line) => line.includes(' # '))).toEqual([]);
    expect(valueOf(lines.at(-1))).toBe(1);
  });
});
