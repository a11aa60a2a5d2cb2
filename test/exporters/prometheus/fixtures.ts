import {
  createPrometheusExporter,
  type PrometheusExporter,
  type PrometheusExporterOptions,
} from '#prometheus/exporter';
import type { RecorderState } from '#prometheus/recorder-metrics';
import type { CommittedMinerStats, MinerStatsRead } from '#facts/miner-stats';
import { NO_TRUTH_WAIT, type OpenRun, type PipelineState } from '#facts/pipeline-state';
import type { ComponentScoreFact, ErrorFact, StepFact } from '#facts/step-fact';
import type { ErrorCategory, ScoreType } from '#semconv';

/** 2026-11-23T18:00:00Z, microseconds. */
export const AT = Date.UTC(2026, 10, 23, 18) * 1000;
export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';
export const TRACE_ID = '0123456789abcdef0123456789abcdef';
export const SPAN_ID = '0123456789abcdef';

/** A miner of which nothing is known yet: every nullable column is null. */
export const minerStats = (known: Partial<CommittedMinerStats> = {}): CommittedMinerStats => ({
  rowVersion: '1(0,1)',
  validatorId: 1,
  validatorHotkey: '5Validator',
  minerHotkey: '5Miner7',
  minerUid: 7,
  isSelected: false,
  minerRank: null,
  avgForecastScore: null,
  successfulForecasts: 0,
  failedForecasts: 0,
  excusedForecasts: 0,
  forecastSuccessRatio: null,
  hostingSuccesses: 0,
  hostingFailures: 0,
  hostReliabilityRatio: null,
  avgHostingLatencyMs: null,
  avgDay1Score: null,
  avgEra5Score: null,
  avgEra5Completeness: null,
  bestForecastScore: null,
  worstForecastScore: null,
  scoreStdDev: null,
  lastSuccessfulForecast: null,
  lastFailedForecast: null,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
  totalInferenceTime: 0,
  avgInferenceTime: null,
  commonErrors: {},
  errorRateByType: null,
  firstSeen: null,
  lastActive: null,
  updatedAt: AT,
  ...known,
});

/** A reading of the table after which nothing was committed. */
export const wholeTable = (rows: readonly CommittedMinerStats[]): MinerStatsRead => ({
  rows,
  hasSeen: () => true,
});

export const stepFact = (fields: Partial<StepFact> = {}): StepFact => ({
  phase: 'ended',
  validatorHotkey: '5Validator',
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  parentSpanId: null,
  traceSampled: null,
  spanName: 'poll attempt',
  instanceId: null,
  runId: 1,
  minerHotkey: '5Miner7',
  minerUid: 7,
  stepName: 'poll',
  substep: 'attempt_3',
  substepGroup: 'attempt',
  leadHours: null,
  attempt: 3,
  maxAttempts: 20,
  status: 'succeeded',
  startedAt: AT,
  completedAt: AT + 40_000,
  latencyNanos: 40_000_000,
  retriesRemaining: 17,
  nextRetryTime: null,
  error: null,
  context: null,
  queueJobId: null,
  state: {},
  componentScores: [],
  scoreSums: null,
  decisions: [],
  closing: null,
  adjustments: {},
  truncated: false,
  ...fields,
});

export const errorFact = (type: ErrorCategory): ErrorFact => ({
  type,
  class: null,
  code: null,
  message: type,
  stack: null,
  causes: null,
  fingerprint: null,
  retryable: null,
  http_status: null,
});

export const componentScore = (scoreType: ScoreType): ComponentScoreFact => ({
  scoreType,
  leadHours: 24,
  validTime: AT,
  variableName: '2t',
  pressureLevel: null,
  rmse: 1,
  mse: 1,
  acc: 1,
  skillScore: 1,
  skillScoreGfs: null,
  skillScoreClimatology: null,
  plainSkillScoreGfs: null,
  plainSkillScoreClimatology: null,
  coverage: null,
  bias: 0,
  mae: 1,
  climatologyCheckPassed: null,
  patternCorrelation: null,
  patternCorrelationPassed: null,
  clonePenalty: null,
  variableWeight: null,
  calculationDurationMs: null,
  failedCheck: null,
  reason: null,
  forecastDigest: null,
  truthDigest: null,
  referenceDigest: null,
  climatologyDigest: null,
  calculatedAt: AT,
});

export const idleRecorder = (): RecorderState => ({ queueLength: 0, oldestAgeMillis: null, dropped: {} });

/** An exporter with an idle recorder and fixed clocks by default. */
export const exporterFor = (options: Partial<PrometheusExporterOptions> = {}): PrometheusExporter =>
  createPrometheusExporter({
    recorderState: idleRecorder,
    clocks: { now: () => AT / 1000, monotonic: () => 0 },
    ...options,
  });

/** The lines of one metric, comments left out. */
export const seriesOf = (body: string, name: string): string[] =>
  body.split('\n').filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line));

/** The series of one metric as an exporter shows it, in the classic text unless asked otherwise. */
export const shown = async (
  exporter: Pick<PrometheusExporter, 'render'>,
  name: string,
  { accept }: { accept?: string } = {},
): Promise<string[]> => seriesOf((await exporter.render(accept)).body, name);

/** Label names and values of a line. */
export const labelsOf = (line: string): Record<string, string> =>
  Object.fromEntries(
    [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );

/** The number of a line without an exemplar. */
export const valueOf = (line: string | undefined): number =>
  Number((line ?? '').replace(/ # .*/, '').split(' ').at(-1) ?? NaN);

/** An open run with no other known values. */
export const openRun = (fields: Partial<OpenRun> = {}): OpenRun => ({
  validatorId: 1,
  runId: 42,
  status: null,
  statusSince: null,
  initTime: null,
  forecasts: [],
  truthWaits: NO_TRUTH_WAIT,
  ...fields,
});

/** A pipeline in which nothing happens. */
export const pipelineState = (fields: Partial<PipelineState> = {}): PipelineState => ({
  readAt: AT,
  validators: [],
  openRuns: [],
  unfinishedRuns: [],
  stepsInProgress: {},
  retries: {},
  deadLetters: {},
  missingRecords: 0,
  conflictingEmitters: 0,
  ...fields,
});

export const BUSY_STATE = pipelineState({
  validators: [
    { id: 1, hotkey: '5Validator' },
    { id: 2, hotkey: 'not a "hotkey"' },
  ],
  openRuns: [
    openRun({
      status: 'awaiting_results',
      statusSince: AT - 60_500_000,
      initTime: AT - 3_600_000_000,
      forecasts: [
        { stage: 'era5_scoring', stageStatus: 'waiting_for_truth', forecasts: 14 },
        { stage: 'inference_running', stageStatus: 'polling', forecasts: 2 },
      ],
      truthWaits: {
        day1: { leads: 14, oldestDue: AT - 3_600_000_000 },
        era5: { leads: 140, oldestDue: AT + 86_400_000_000 },
      },
    }),
    openRun({ runId: 43 }),
  ],
  unfinishedRuns: [{ validatorId: 1, runId: 41, status: 'failed', endedAt: AT - 7_200_000_000 }],
  stepsInProgress: { poll: { steps: 3, oldestStart: AT - 1_000_000 } },
  retries: {
    query: { scheduled: 4, overdue: 1, oldestDue: AT - 2_000_000 },
    verify: { scheduled: 1, overdue: 0, oldestDue: null },
  },
  deadLetters: { invalid_attribute: 2 },
  missingRecords: 5,
  conflictingEmitters: 1,
});
