import { METRICS } from '#semconv/metrics';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { ageOf, perMinuteOf, quantileOf, stateOf } from '../panels/promql.ts';
import { UNITS } from '../panels/units.ts';

const NOTHING_ENDED = 'No step has ended in this time range';

const throughput = promLinesPanel({
  id: 201,
  title: 'Throughput by step',
  description:
    'Steps that end per minute, however they end. It comes in bursts, one a cycle and one a lead. Nothing at all while a ' +
    'run awaits results is usual; nothing while retries are overdue is not.',
  unit: UNITS.perMinute,
  noValue: NOTHING_ENDED,
  width: 12,
  height: 8,
  min: 0,
  isStacked: true,
  queries: [{ expr: perMinuteOf(METRICS.steps, { by: ['step'] }), legend: '{{step}}' }],
});

const running = promLinesPanel({
  id: 202,
  title: 'Steps that run',
  description:
    'Steps that run now, by step. As many as the workers may do at once for long: give them more workers, or see why ' +
    'each takes so long.',
  unit: UNITS.count,
  noValue: 'No process reports the state of the tables; see the dashboard Recorder',
  width: 6,
  height: 8,
  min: 0,
  isStacked: true,
  queries: [{ expr: stateOf(METRICS.stepsInProgress), legend: '{{step}}' }],
});

const oldest = promLinesPanel({
  id: 203,
  title: 'Oldest step that runs',
  description:
    'For how long the step that runs longest has run, by step. A straight line upwards is a step that hangs, or whose ' +
    'process is dead: see "What is stuck" of the run.',
  unit: UNITS.seconds,
  noValue: 'No step runs',
  width: 6,
  height: 8,
  min: 0,
  queries: [{ expr: ageOf(stateOf(METRICS.oldestStepInProgress)), legend: '{{step}}' }],
});

const quantiles = promLinesPanel({
  id: 204,
  title: 'Latency of steps: half, and 95 of 100',
  description:
    'Half of the steps were done in the lower time, 95 of 100 in the upper one. The points are single steps: follow one ' +
    'to its trace. query, poll and communication rise with the miners; day1 and era5 with the data and with us.',
  unit: UNITS.seconds,
  noValue: NOTHING_ENDED,
  width: 24,
  height: 10,
  isManyLines: true,
  isLogarithmic: true,
  queries: [
    { expr: quantileOf(METRICS.stepDuration, 0.5, { by: ['step'] }), legend: '{{step}} half' },
    {
      expr: quantileOf(METRICS.stepDuration, 0.95, { by: ['step'] }),
      legend: '{{step}} 95 of 100',
      exemplars: true,
    },
  ],
});

const substeps = promLinesPanel({
  id: 205,
  title: 'Latency of substeps: 99 of 100',
  description:
    'The slow end of each step and substep, with single steps as points that lead to their traces. One substep that ' +
    'rises on its own is the cause.',
  unit: UNITS.seconds,
  noValue: NOTHING_ENDED,
  width: 24,
  height: 10,
  isManyLines: true,
  isLogarithmic: true,
  queries: [
    {
      expr: quantileOf(METRICS.stepDuration, 0.99, { by: ['step', 'substep'] }),
      legend: '{{step}} {{substep}}',
      exemplars: true,
    },
  ],
});

export const pipelineFlow: Section = {
  id: 200,
  title: 'Throughput and latency',
  panels: [throughput, running, oldest, quantiles, substeps],
};
