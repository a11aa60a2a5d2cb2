import { AxisPlacement } from '@grafana/grafana-foundation-sdk/common';
import { METRICS } from '#semconv/metrics';
import { COLOURS, colourMapping } from '../panels/colours.ts';
import { barPanel } from '../panels/chart-panels.ts';
import { countColumn, stepColumn } from '../panels/columns.ts';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { stateOf } from '../panels/promql.ts';
import { column, tablePanel } from '../panels/table-panel.ts';
import { ZERO_IS_USUAL } from '../panels/thresholds.ts';
import { UNITS } from '../panels/units.ts';
import * as queries from '../queries/miner.ts';

const chosen = { validator_id: '${validator}', miner_hotkey: '${miner}' };
const ofMiner = { by: [], where: chosen } as const;

const errors = barPanel({
  id: 301,
  title: 'Errors by category',
  description:
    'All failures of the miner over all runs, each counted once, where it happened, and who is at fault, by whom it is coloured. ' +
    'verification_hash_changed and verification_signature mean that what is hosted is not what was promised.',
  unit: UNITS.count,
  noValue: 'Nothing of this miner has failed',
  width: 8,
  height: 9,
  sql: queries.ERRORS_BY_CATEGORY,
  nameField: 'error_type',
  colourField: 'fault',
  fields: [
    { name: 'failures', title: 'Failures' },
    { name: 'fault', mappings: colourMapping(COLOURS.fault) },
  ],
});

const latencies = tablePanel({
  id: 302,
  title: 'Latency of its steps in the run',
  description:
    'Attempts of the chosen run by step: how many, how many ended with an error, and how long they took; failures have a ' +
    'latency too. communication is the call to the miner itself: slow there, slow at the miner.',
  noValue: 'No step of this miner in this run has ended yet',
  width: 8,
  height: 9,
  sql: queries.STEP_LATENCIES,
  columns: [
    stepColumn(),
    countColumn('attempts', 'All', { width: 45 }),
    countColumn('with_error', 'Errors', { width: 55, thresholds: ZERO_IS_USUAL, coloured: 'text' }),
    ...(['mean_ms', 'p95_ms', 'longest_ms'] as const).map((name, index) =>
      column(name, ['Mean', '95 of 100', 'Longest'][index] ?? name, {
        unit: UNITS.milliseconds,
        decimals: 1,
        width: 75,
      }),
    ),
  ],
});

const hosting = promLinesPanel({
  id: 303,
  title: 'Latency of its host, and inference',
  description:
    'Mean latency of the calls that worked (on the right), and mean time of inference, over all that the miner did so far. They move ' +
    'slowly; a step up means that something changed at the miner.',
  unit: UNITS.seconds,
  noValue: 'No call of this miner has worked yet',
  width: 8,
  height: 9,
  min: 0,
  queries: [
    { expr: stateOf(METRICS.minerHostingLatency, ofMiner), legend: 'Calls' },
    { expr: stateOf(METRICS.minerAvgInference, ofMiner), legend: 'Inference' },
  ],
  // A call takes milliseconds where inference takes minutes.
  fields: [{ name: 'Calls', custom: { axisPlacement: AxisPlacement.Right } }],
});

const failures = promLinesPanel({
  id: 304,
  title: 'Failures over time, by category',
  description:
    'Failures so far, by category, as in miner_stats. The failures began where a line begins to rise.',
  unit: UNITS.count,
  noValue: 'Nothing of this miner has failed',
  width: 12,
  height: 7,
  min: 0,
  queries: [
    { expr: stateOf(METRICS.minerErrors, { by: ['error_type'], where: chosen }), legend: '{{error_type}}' },
  ],
});

const streaks = promLinesPanel({
  id: 305,
  title: 'Streaks over time',
  description: 'Newest forecasts completed and failed in a row. The one falls to 0 when the other begins.',
  unit: UNITS.count,
  noValue: 'No forecast of this miner has ended yet',
  width: 12,
  height: 7,
  min: 0,
  queries: [
    { expr: stateOf(METRICS.minerConsecutiveSuccesses, ofMiner), legend: 'Completed in a row' },
    { expr: stateOf(METRICS.minerConsecutiveFailures, ofMiner), legend: 'Failed in a row' },
  ],
});

export const minerErrors: Section = {
  id: 300,
  title: 'Errors and latencies',
  panels: [errors, latencies, hosting, failures, streaks],
};
