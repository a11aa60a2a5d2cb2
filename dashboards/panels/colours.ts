import { MappingType, SpecialValueMatch, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import type { BatchResult } from '#semconv/metric-labels';
import type {
  FaultParty,
  ForecastStatus,
  LogLevel,
  RunStatus,
  Stage,
  StageStatus,
  StepStatus,
} from '#semconv';

const GREY = '#8e8e8e';

/** The colour of each value of the closed sets; a value without a colour does not compile. */
export const COLOURS = {
  stepStatus: {
    in_progress: 'blue',
    succeeded: 'green',
    failed: 'red',
    retry_scheduled: 'orange',
    waiting_for_truth: 'purple',
    abandoned: 'dark-red',
  } satisfies Record<StepStatus, string>,
  stage: {
    init: GREY,
    gfs_fetch: 'light-blue',
    inference_requested: 'light-blue',
    inference_running: 'blue',
    awaiting_scoring: 'dark-blue',
    verification: 'light-yellow',
    day1_scoring: 'yellow',
    day1_scored: 'dark-yellow',
    era5_scoring: 'purple',
    complete: 'green',
    inference_failed: 'red',
  } satisfies Record<Stage, string>,
  stageStatus: {
    initialized: GREY,
    in_progress: 'blue',
    scoring: 'blue',
    polling: 'light-blue',
    polling_for_inference: 'light-blue',
    query_successful: 'light-green',
    inference_complete: 'light-green',
    waiting_for_truth: 'purple',
    retrying: 'orange',
    waiting_retry: 'orange',
    error: 'red',
    failed: 'red',
    completed: 'green',
  } satisfies Record<StageStatus, string>,
  forecastStatus: {
    pending: GREY,
    seeded: 'light-blue',
    input_received: 'blue',
    day1_scoring: 'yellow',
    day1_scored: 'dark-yellow',
    era5_scoring: 'purple',
    completed: 'green',
    failed: 'red',
  } satisfies Record<ForecastStatus, string>,
  runStatus: {
    created: GREY,
    seeding: 'light-blue',
    gfs_ready: 'light-blue',
    querying_miners: 'blue',
    awaiting_results: 'purple',
    completed: 'green',
    failed: 'red',
    all_miners_failed: 'red',
    stale_abandoned: 'dark-red',
  } satisfies Record<RunStatus, string>,
  fault: { miner: 'orange', upstream: 'purple', validator: 'red' } satisfies Record<FaultParty, string>,
  logLevel: { INFO: 'green', WARN: 'orange', ERROR: 'red' } satisfies Record<LogLevel, string>,
  batchResult: { written: 'green', retryable: 'orange', rejected: 'red' } satisfies Record<
    BatchResult,
    string
  >,
} as const;

/** Colours each value of a set; the text stays as it is. */
export function colourMapping(colours: Readonly<Record<string, string>>): ValueMapping[] {
  const options = Object.fromEntries(
    Object.entries(colours).map(([value, color], index) => [value, { color, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}

/** The same for stages, whose text may carry a progress or a lead. */
export function stageMapping(): ValueMapping[] {
  return Object.entries(COLOURS.stage).map(([stage, color], index) => ({
    type: MappingType.RegexToText,
    options: { pattern: `/^${stage}(_[0-9]+[%h])?$/`, result: { color, index } },
  }));
}

/** Maps a boolean to a text and a colour. */
export function flagMapping(texts: { readonly true: string; readonly false: string }): ValueMapping[] {
  const options = {
    true: { text: texts.true, color: 'orange', index: 0 },
    false: { text: texts.false, color: 'green', index: 1 },
  };
  return [{ type: MappingType.ValueToText, options }];
}

/**
 * The colour of a missing value. Without it Grafana takes the first step of the thresholds, which paints a missing score
 * as bad, and a missing category as good.
 */
export const missingMapping = (color: 'text' | 'transparent'): ValueMapping => ({
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.Null, result: { color } },
});
