import { METRICS } from '#semconv/metrics';
import { COLOURS } from '../panels/colours.ts';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { increaseOf, perMinuteOf, rateOf, shareOf } from '../panels/promql.ts';
import { UNITS } from '../panels/units.ts';

const NO_ERRORS = 'No step has ended with an error in this time range';

const shares = promLinesPanel({
  id: 301,
  title: 'Error rate by step',
  description:
    'Steps that ended with an error, as a share of all that ended. communication and query above a third: see who is at ' +
    'fault beside. day1 or era5 above 0 for long: truth, or our scoring.',
  unit: UNITS.ratio,
  noValue: NO_ERRORS,
  width: 12,
  height: 9,
  min: 0,
  max: 1,
  queries: [
    {
      expr: shareOf(rateOf(METRICS.stepErrors, { by: ['step'] }), rateOf(METRICS.steps, { by: ['step'] })),
      legend: '{{step}}',
    },
  ],
});

const fault = promLinesPanel({
  id: 302,
  title: 'Who is at fault',
  description:
    'Errors per minute by who must act. miner: some always fail. upstream: GFS or ERA5 is late or wrong. validator: ' +
    'our own fault, and every one is worth checking.',
  unit: UNITS.perMinute,
  noValue: NO_ERRORS,
  width: 12,
  height: 9,
  min: 0,
  isStacked: true,
  queries: [{ expr: perMinuteOf(METRICS.stepErrors, { by: ['fault'] }), legend: '{{fault}}' }],
  fields: Object.entries(COLOURS.fault).map(([name, colour]) => ({ name, colour })),
});

const categories = promLinesPanel({
  id: 303,
  title: 'Errors by category',
  description:
    'Errors within a time range up to each point, by category. A line that begins is an error that was not there before: ' +
    'it is worth more attention than one that is always there.',
  unit: UNITS.count,
  noValue: NO_ERRORS,
  width: 12,
  height: 9,
  min: 0,
  queries: [{ expr: increaseOf(METRICS.stepErrors, { by: ['error_type'] }), legend: '{{error_type}}' }],
});

const outcomes = promLinesPanel({
  id: 304,
  title: 'How steps end',
  description:
    'Steps per minute by how they ended. abandoned above 0: a process died. retry_scheduled above succeeded: a service ' +
    'that all of them need is down.',
  unit: UNITS.perMinute,
  noValue: 'No step has ended in this time range',
  width: 12,
  height: 9,
  min: 0,
  isStacked: true,
  queries: [{ expr: perMinuteOf(METRICS.steps, { by: ['outcome'] }), legend: '{{outcome}}' }],
  fields: Object.entries(COLOURS.stepStatus).map(([name, colour]) => ({ name, colour })),
});

export const pipelineErrors: Section = {
  id: 300,
  title: 'Errors, and who is at fault',
  panels: [shares, fault, categories, outcomes],
};
