import { describe, expect, it } from 'vitest';
import type { PipelineState } from '#facts/pipeline-state';
import { DEAD_LETTER_REASONS, STEP_NAMES } from '#semconv';
import { OVERFLOW } from '#semconv/metric-labels';
import { METRICS, type MetricKey } from '#semconv/metrics';
import {
  AT,
  BUSY_STATE,
  exporterFor,
  labelsOf,
  openRun,
  pipelineState,
  seriesOf,
  shown,
  valueOf,
} from './fixtures.ts';

const STATE_KEYS = [
  'validators',
  'runForecasts',
  'runStatusSince',
  'runInit',
  'runUnfinished',
  'runsOverflowed',
  'stepsInProgress',
  'oldestStepInProgress',
  'retriesScheduled',
  'retriesOverdue',
  'oldestRetryDue',
  'leadsWaitingForTruth',
  'oldestTruthDue',
  'deadLetters',
  'missingRecords',
  'conflictingEmitters',
] as const satisfies readonly MetricKey[];

/** An exporter that shows this state, and the clock by which it grows old. */
function showing(state: PipelineState, limits = {}) {
  const clock = { millis: 0 };
  const exporter = exporterFor({
    limits,
    clocks: { now: () => AT / 1000, monotonic: () => clock.millis },
  });
  exporter.showState(state);
  return { exporter, clock, text: async () => (await exporter.render(undefined)).body };
}

describe('State of the pipeline', () => {
  it('the state is exposed by run, by step and by reason', async () => {
    const { text } = showing(BUSY_STATE);
    const body = await text();
    const lines = STATE_KEYS.flatMap((key) => seriesOf(body, METRICS[key].name));
    expect(lines.filter((line) => !line.endsWith(' 0'))).toEqual([
      'barograph_validators{validator_id="1",validator_hotkey="5Validator"} 1',
      'barograph_run_forecasts{validator_id="1",run_id="42",stage="era5_scoring",stage_status="waiting_for_truth"} 14',
      'barograph_run_forecasts{validator_id="1",run_id="42",stage="inference_running",stage_status="polling"} 2',
      'barograph_run_status_since_timestamp_seconds{validator_id="1",run_id="42",run_status="awaiting_results"} 1795456739.5',
      'barograph_run_init_timestamp_seconds{validator_id="1",run_id="42"} 1795453200',
      'barograph_run_unfinished_timestamp_seconds{validator_id="1",run_id="41",run_status="failed"} 1795449600',
      'barograph_steps_in_progress{step="poll"} 3',
      'barograph_oldest_step_in_progress_timestamp_seconds{step="poll"} 1795456799',
      'barograph_retries_scheduled{step="query"} 4',
      'barograph_retries_scheduled{step="verify"} 1',
      'barograph_retries_overdue{step="query"} 1',
      'barograph_oldest_overdue_retry_timestamp_seconds{step="query"} 1795456798',
      'barograph_leads_waiting_for_truth{validator_id="1",run_id="42",score_type="day1"} 14',
      'barograph_leads_waiting_for_truth{validator_id="1",run_id="42",score_type="era5"} 140',
      'barograph_oldest_truth_due_timestamp_seconds{validator_id="1",run_id="42",score_type="day1"} 1795453200',
      'barograph_oldest_truth_due_timestamp_seconds{validator_id="1",run_id="42",score_type="era5"} 1795543200',
      'barograph_dead_letters{reason="invalid_attribute"} 2',
      'barograph_missing_records 5',
      'barograph_conflicting_emitters 1',
    ]);
    expect(seriesOf(body, METRICS.stateRead.name)).toEqual([`${METRICS.stateRead.name} 1795456800`]);
  });

  it('every step, reason and open run without a count shows 0, and has no instant', async () => {
    const { text } = showing(pipelineState({ openRuns: [openRun()] }));
    const body = await text();
    const zeros = STATE_KEYS.flatMap((key) => seriesOf(body, METRICS[key].name));
    expect(zeros).toEqual([
      'barograph_metrics_overflowed_runs 0',
      ...STEP_NAMES.map((step) => `barograph_steps_in_progress{step="${step}"} 0`),
      ...STEP_NAMES.map((step) => `barograph_retries_scheduled{step="${step}"} 0`),
      ...STEP_NAMES.map((step) => `barograph_retries_overdue{step="${step}"} 0`),
      'barograph_leads_waiting_for_truth{validator_id="1",run_id="42",score_type="day1"} 0',
      'barograph_leads_waiting_for_truth{validator_id="1",run_id="42",score_type="era5"} 0',
      ...DEAD_LETTER_REASONS.map((reason) => `barograph_dead_letters{reason="${reason}"} 0`),
      'barograph_missing_records 0',
      'barograph_conflicting_emitters 0',
    ]);
  });

  it('the state is absent before the first read, and a new read replaces it completely', async () => {
    const exporter = exporterFor();
    const before = (await exporter.render(undefined)).body;
    for (const key of [...STATE_KEYS, 'stateRead'] as const)
      expect(seriesOf(before, METRICS[key].name)).toEqual([]);
    exporter.showState(BUSY_STATE);
    exporter.showState(pipelineState());
    expect(await shown(exporter, METRICS.runForecasts.name)).toEqual([]);
    exporter.showState(null);
    expect(await shown(exporter, METRICS.missingRecords.name)).toEqual([]);
  });
});

describe('Expiry of the state', () => {
  it('the state expires after a minute, except for its read time, and returns with the next read', async () => {
    const { exporter, clock, text } = showing(BUSY_STATE);
    clock.millis = 60_000;
    expect(seriesOf(await text(), METRICS.missingRecords.name)).toHaveLength(1);
    clock.millis = 60_001;
    const body = await text();
    for (const key of STATE_KEYS) expect(seriesOf(body, METRICS[key].name)).toEqual([]);
    expect(seriesOf(body, METRICS.stateRead.name)).toEqual([`${METRICS.stateRead.name} ${AT / 1e6}`]);
    exporter.showState({ ...BUSY_STATE, readAt: AT + 61_000_000 });
    expect(seriesOf(await text(), METRICS.missingRecords.name)).toHaveLength(1);
  });
});

describe('Budget of runs', () => {
  it('the unfinished runs of a validator beyond the budget of validators have no series', async () => {
    const unfinishedRuns = [1, 2].map((validatorId) => {
      return { validatorId, runId: 7, status: 'failed', endedAt: AT } as const;
    });
    const validators = [1, 2].map((id) => ({ id, hotkey: `5Validator${id}` }));
    const { exporter } = showing(pipelineState({ validators, unfinishedRuns }), { maxValidators: 1 });
    expect(await shown(exporter, METRICS.runUnfinished.name)).toEqual([
      `barograph_run_unfinished_timestamp_seconds{validator_id="1",run_id="7",run_status="failed"} ${AT / 1e6}`,
    ]);
  });

  const runsShown = async (state: PipelineState, maxRuns: number) => {
    const { exporter } = showing(state, { maxRuns });
    const waiting = await shown(exporter, METRICS.leadsWaitingForTruth.name);
    const lines = waiting.filter((line) => labelsOf(line)['score_type'] === 'era5');
    const [overflowed] = await shown(exporter, METRICS.runsOverflowed.name);
    return {
      runs: lines.map((line) => [labelsOf(line)['validator_id'], labelsOf(line)['run_id']].join('/')),
      overflowed: valueOf(overflowed),
      counted: (await shown(exporter, METRICS.overflow.name)).filter((line) => line.includes('run_id')),
    };
  };

  it('the newest runs have series, the newest of each validator first, and the others are counted', async () => {
    const openRuns = [
      ...[1, 2, 3, 4].map((runId) => openRun({ validatorId: 1, runId })),
      openRun({ validatorId: 2, runId: 1 }),
      openRun({ validatorId: 3, runId: 900 }),
    ];
    expect(await runsShown(pipelineState({ openRuns }), 4)).toEqual({
      runs: ['1/4', '2/1', '3/900', '1/3'],
      overflowed: 2,
      counted: [`${METRICS.overflow.name}{label="run_id"} 2`],
    });
  });

  it('32 runs have series by default, so that runs that never end cannot exhaust memory', async () => {
    const openRuns = Array.from({ length: 1000 }, (_, runId) =>
      openRun({
        runId,
        forecasts: [{ stage: 'init', stageStatus: 'initialized', forecasts: 1 }],
      }),
    );
    const { exporter, text } = showing(pipelineState({ openRuns }));
    expect(seriesOf(await text(), METRICS.runForecasts.name)).toHaveLength(32);
    expect((await shown(exporter, METRICS.runsOverflowed.name)).map(valueOf)).toEqual([968]);
  });

  it('validators are bounded, too, and no hotkey can be mistaken for another label', async () => {
    const validators = Array.from({ length: 1000 }, (_, index) => ({ id: index + 1, hotkey: `5V${index}` }));
    const { text } = showing(pipelineState({ validators: [{ id: 0, hotkey: OVERFLOW }, ...validators] }));
    const lines = seriesOf(await text(), METRICS.validators.name);
    expect(lines).toHaveLength(64);
    expect(lines[0]).toBe(`${METRICS.validators.name}{validator_id="1",validator_hotkey="5V0"} 1`);
  });
});
