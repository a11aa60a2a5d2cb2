import { z } from 'zod';
import {
  double,
  flag,
  instant,
  integer,
  integerWithin,
  json,
  oneOf,
  text,
  type AttributeDefinition,
} from './attribute-definition.ts';
import { ERROR_CATEGORIES } from './error-categories.ts';
import { STAGE_PATTERN, SUBSTEP_PATTERN } from './numbered-names.ts';
import {
  CLOSING_REASONS,
  DECISIONS,
  FIELD_CHECKS,
  FORECAST_STATUSES,
  HOSTING_STATUSES,
  LOG_LEVELS,
  RESPONSE_STATUSES,
  RUN_STATUSES,
  STAGE_STATUSES,
  STEP_NAMES,
  STEP_STATUSES,
  TRANSPORT_OUTCOMES,
} from './vocabulary.ts';

const patterned = (pattern: RegExp, example: string, brief: string): AttributeDefinition<z.ZodString> => ({
  type: 'string',
  unit: '',
  brief,
  example,
  cardinality: 'low',
  schema: z.string().regex(pattern),
});

const digest = (what: string): AttributeDefinition<z.ZodString> =>
  text('', '9f2c11d0a4b7…', `SHA-256 of the bytes that the field of the ${what} was read from, hex`);

/** Every attribute that Barograph reads from a span. `docs/attributes.md` is generated from this table. */
export const ATTRIBUTES = {
  // identity of the step
  'weather.validator.hotkey': text(
    '',
    '5Grwva…',
    'Identity of the validator; may be an attribute of the resource',
  ),
  'weather.run.id': integer('', '42', 'The run: one forecast cycle of one validator'),
  'weather.run.init_time': instant('', '2026-11-23T00:00:00Z', 'T0, the GFS initialisation time'),
  'weather.run.target_time': instant('', '2026-11-23T00:00:00Z', 'Target time that names the forecast'),
  'weather.run.initiation_time': instant(
    '',
    '2026-11-23T18:04:00Z',
    'When the run was created; opens the manifest freeze window',
  ),
  'weather.run.expected_leads': integerWithin(
    { from: 1, to: 1000 },
    '{lead}',
    '10',
    'How many ERA5 leads this run is scored on',
  ),
  'weather.run.status': oneOf(RUN_STATUSES, '', 'gfs_ready', 'Status that the run enters'),
  'weather.run.error_message': text('', 'all 16 miners failed', 'Why the run failed'),
  'weather.run.error_type': oneOf(
    ERROR_CATEGORIES,
    '',
    'truth_not_ready',
    'Category of that failure; the forecasts that the run ends take it over',
  ),
  'weather.run.input_metadata': json(
    '',
    '{"cycles":["2026-11-23T00Z"]}',
    'The GFS input that was really used',
  ),
  'weather.miner.uid': integerWithin({ from: 0, to: 255 }, '', '17', 'The slot that the miner holds now'),
  'weather.miner.hotkey': text('', '5F3sa2…', 'Identity of the miner'),

  // the step
  'weather.step.name': oneOf(STEP_NAMES, '', 'poll', 'The step'),
  'weather.step.substep': patterned(SUBSTEP_PATTERN, 'attempt_3', 'The substep; a poll carries its number'),
  'weather.step.attempt': integerWithin(
    { from: 1, to: 1_000_000 },
    '{attempt}',
    '1',
    'Attempt, counted from 1',
  ),
  'weather.step.max_attempts': integerWithin(
    { from: 1, to: 1_000_000 },
    '{attempt}',
    '4',
    'Attempts that the policy allows',
  ),
  'weather.step.status': oneOf(STEP_STATUSES, '', 'succeeded', 'How the step ended'),
  'weather.step.superseded': flag(
    '',
    'true',
    'Set when another worker had made the transition of this step: the span changes nothing of the forecast',
  ),
  'weather.closing.reason': oneOf(
    CLOSING_REASONS,
    '',
    'process_crash',
    'Set on a synthetic end, for a step whose real end never came: the reason',
  ),
  'weather.step.context': json(
    '',
    '{"bytes":5120}',
    'What the step did: bytes, counts, cycles, cache hits, progress',
  ),
  'weather.step.queue_job_id': integer('', '811', 'Job of the queue that ran the step'),
  'weather.retry.next_time': instant('', '2026-11-23T18:10:00Z', 'Time of the next attempt'),
  'weather.truth.due_time': instant('', '2026-11-29T06:00:00Z', 'When ERA5 is due for the lead'),
  'weather.lead_hours': integerWithin({ from: 0, to: 1000 }, 'h', '72', 'Lead, hours after T0'),

  'weather.emitter.sequence': integerWithin(
    { from: 1, to: Number.MAX_SAFE_INTEGER },
    '',
    '17',
    'Number of the span among those of its process (service.instance.id), from 1 without a gap. Only for senders over OTLP: it lets the books prove that none of their spans is missing',
  ),

  // state of the forecast
  'weather.stage': patterned(
    STAGE_PATTERN,
    'era5_scoring_72h',
    'Stage of the forecast; may carry a progress or a lead',
  ),
  'weather.stage.status': oneOf(
    STAGE_STATUSES,
    '',
    'in_progress',
    'Status within the stage; follows from the outcome of the step unless given',
  ),
  'weather.forecast.status': oneOf(FORECAST_STATUSES, '', 'day1_scored', 'Coarse status of the forecast'),
  'weather.forecast.type': text('', '10day', 'Kind of forecast', 'low'),
  'weather.forecast.input_sources': json(
    '',
    '{"gfs":["2026-11-23T00Z"]}',
    'The inputs that the forecast was asked for',
  ),

  // the exchange with the miner
  'weather.job.id': text('', 'c868cfc6-3641-44c6-82f7-3d0eb3a0d155', "The miner's own job"),
  'weather.job.accepted_time': instant('', '2026-11-23T18:05:00Z', 'When the miner accepted the job'),
  'weather.poll.progress': double(
    '%',
    '45',
    'Progress that the miner reported, 0 to 100; 100 for a completed forecast',
  ),
  'weather.response.status': oneOf(RESPONSE_STATUSES, '', 'inference_running', 'Where the exchange stands'),
  'weather.response.transport': oneOf(
    TRANSPORT_OUTCOMES,
    '',
    'success',
    'Whether the call succeeded in transport, whatever the miner replied; follows from status and error category unless given',
  ),
  'weather.response.wire_status': text('', 'fetch_accepted', 'The status as the miner wrote it'),
  'weather.hosting.status': oneOf(
    HOSTING_STATUSES,
    '',
    'accessible',
    'Whether the hosted forecast could be read',
  ),
  'weather.hosting.latency_ms': double('ms', '182.5', 'Time to the first byte of the hosted forecast'),
  'weather.inference.started_time': instant(
    '',
    '2026-11-23T18:05:00Z',
    "When inference began, by the miner's own word; else when the job was accepted, by the clock of the validator; absent when the forecast was ready at once",
  ),
  'weather.inference.completed_time': instant(
    '',
    '2026-11-23T19:25:00Z',
    'When a poll first saw the forecast complete',
  ),
  'weather.inference.duration_seconds': double('s', '4800', 'Acceptance to the poll that saw completion'),
  'weather.forecast.store_path': text(
    '',
    '/forecasts/c868cfc6.zarr',
    'Where the forecast lies on its host, without the host',
  ),
  'weather.manifest.hash_claimed': text('', 'b5c1…', 'SHA-256 of the manifest, as the miner claimed it'),
  'weather.manifest.hash_computed': text('', 'b5c1…', 'SHA-256 of the manifest, computed from what was read'),
  'weather.manifest.header': json('', '{"files":209}', 'The manifest without its list of files'),
  'weather.manifest.frozen_time': instant('', '2026-11-23T19:26:00Z', 'When the manifest was frozen'),
  'weather.verification.passed': flag('', 'true', 'Whether the hosted forecast matches its manifest'),

  // scores
  'weather.score.initial': double('1', '0.61', 'Day-one score, 0 to 1'),
  'weather.score.era5': double('1', '0.55', 'Score of one lead against ERA5, 0 to 1'),
  'weather.score.reason': text('', 'acc is not finite', 'Why a score is missing'),
  'weather.score.scorer_version': text(
    '',
    '1',
    'Version of the rules by which the fields became scores',
    'low',
  ),
  'weather.score.inputs': json(
    '',
    '[{"role":"truth","kind":"http","address":"https://[host]/era5.zarr","digest":"9f2c…","expver":"0005"}]',
    'The stores that the lead was scored with: role, kind, address without host and user, SHA-256 over the digests of their fields, and the experiment version of ERA5',
  ),

  // errors and cost
  'error.type': oneOf(ERROR_CATEGORIES, '', 'timeout', 'Category of the failure'),
  'weather.error.class': text('', 'TypeError', 'Class of the error', 'low'),
  'weather.error.code': text(
    '',
    'ECONNREFUSED',
    'Code of the error, or of the first of its causes that has one',
    'low',
  ),
  'weather.error.http_status': integerWithin(
    { from: 100, to: 599 },
    '',
    '503',
    'Status of the HTTP reply that the failure rests on',
  ),
  'weather.error.fingerprint': text('', '9f2c11d0a4b7', 'Equal for equal failures, whatever their numbers'),
  'weather.error.causes': json(
    '',
    '[{"type":"Error","message":"…"}]',
    'The chain of causes, outermost first',
  ),
  'weather.error.retryable': flag('', 'true', 'Whether a retry can help'),
  'http.request.method': text('', 'POST', 'Method of the call', 'low'),
  'http.response.status_code': integerWithin({ from: 100, to: 599 }, '', '200', 'Status of the reply'),
  'weather.profile.cpu_ms': double('ms', '12.4', 'CPU time of the process while the step ran'),
  'weather.profile.event_loop_delay_ms': double(
    'ms',
    '1.9',
    'Longest block of the event loop while the step ran',
  ),
  'weather.profile.bytes_read': integer('By', '5120', 'Bytes that the step read'),
  'weather.profile.peak_memory_bytes': integer(
    'By',
    '211812352',
    'Largest resident memory of the process by the end of the step',
  ),
} as const satisfies Record<string, AttributeDefinition>;
export type AttributeName = keyof typeof ATTRIBUTES;
export type AttributeValue<Name extends AttributeName> = z.output<(typeof ATTRIBUTES)[Name]['schema']>;

/** Attributes of the event `weather.component_score`: the scores of one variable on one level. */
export const COMPONENT_SCORE_ATTRIBUTES = {
  'weather.component.score_type': oneOf(
    ['day1', 'era5'],
    '',
    'era5',
    'Truth that the score was computed against',
  ),
  'weather.component.variable_name': text('', 'z', 'Variable, by its ERA5 short name', 'low'),
  'weather.component.pressure_level': integer('hPa', '500', 'Level; absent at the surface', 'low'),
  'weather.component.valid_time': instant('', '2026-11-24T00:00:00Z', 'Instant that the field is valid for'),
  'weather.component.rmse': double('unit of the variable', '1.9', 'Latitude-weighted root-mean-square error'),
  'weather.component.mse': double('unit²', '3.6', 'Latitude-weighted mean square error'),
  'weather.component.acc': double('1', '0.93', 'Anomaly correlation coefficient'),
  'weather.component.skill_score': double(
    '1',
    '0.41',
    'Skill that enters the score: against GFS on day one, climatology for ERA5',
  ),
  'weather.component.skill_score_gfs': double('1', '0.12', 'Skill against the GFS forecast'),
  'weather.component.skill_score_climatology': double('1', '0.71', 'Skill against climatology'),
  'weather.component.plain_skill_score_gfs': double(
    '1',
    '0.08',
    'Skill against the GFS forecast with no mean error removed: 1 - mse / mse of the reference',
  ),
  'weather.component.plain_skill_score_climatology': double(
    '1',
    '0.69',
    'Skill against climatology with no mean error removed',
  ),
  'weather.component.coverage': double(
    '1',
    '1',
    'Share of the points at which the truth has a value that the forecast has one at, 0 to 1',
  ),
  'weather.component.bias': double('unit of the variable', '-0.2', 'Latitude-weighted mean error'),
  'weather.component.mae': double('unit of the variable', '1.4', 'Latitude-weighted mean absolute error'),
  'weather.component.climatology_check_passed': flag(
    '',
    'true',
    'Whether all values lie within plausible bounds',
  ),
  'weather.component.pattern_correlation': double(
    '1',
    '0.97',
    'Weighted correlation with the reference, on day one and against ERA5',
  ),
  'weather.component.pattern_correlation_passed': flag(
    '',
    'true',
    'Whether that correlation is at least 0.3',
  ),
  'weather.component.clone_penalty': double('1', '0', 'Penalty for copying the reference; 0 against ERA5'),
  'weather.component.variable_weight': double('1', '0.25', 'Weight of the variable, kept for the record'),
  'weather.component.calculation_duration_ms': double('ms', '7.1', 'Time that the calculation took'),
  'weather.component.failed_check': oneOf(
    FIELD_CHECKS,
    '',
    'coverage',
    'Check that the field failed; absent when it passed all',
  ),
  'weather.component.reason': text(
    '',
    'forecast holds no finite value',
    'Why a metric is missing, or what the failed check found',
  ),
  'weather.component.forecast_digest': digest('forecast'),
  'weather.component.truth_digest': digest('truth'),
  'weather.component.reference_digest': digest('reference'),
  'weather.component.climatology_digest': digest('climatology'),
} as const satisfies Record<string, AttributeDefinition>;
export type ComponentScoreAttributeName = keyof typeof COMPONENT_SCORE_ATTRIBUTES;

/** Attributes of the event `weather.orchestration.decision`. */
export const DECISION_ATTRIBUTES = {
  'weather.orchestration.decision': oneOf(DECISIONS, '', 'query_miners', 'What was decided'),
  'weather.orchestration.reason': text('', 'GFS is ready', 'Why'),
  'weather.orchestration.level': oneOf(LOG_LEVELS, '', 'INFO', 'Severity for an operator'),
} as const satisfies Record<string, AttributeDefinition>;

/**
 * What a span or event must have; one without becomes a dead letter. The validator may be an attribute of the resource
 * instead. A step that is not of the run as a whole also needs `weather.miner.hotkey`, and one with component scores
 * `weather.lead_hours`.
 */
export const REQUIRED_ATTRIBUTES = {
  step: ['weather.validator.hotkey', 'weather.run.id', 'weather.step.name', 'weather.step.substep'],
  componentScore: [
    'weather.component.score_type',
    'weather.component.variable_name',
    'weather.component.valid_time',
  ],
  decision: ['weather.orchestration.decision'],
} as const satisfies {
  readonly step: readonly AttributeName[];
  readonly componentScore: readonly ComponentScoreAttributeName[];
  readonly decision: readonly (keyof typeof DECISION_ATTRIBUTES)[];
};
