import { ERROR_CATEGORIES, FAULT_PARTIES } from './error-categories.ts';
import {
  RUN_STATUSES,
  SCORE_TYPES,
  STAGE_STATUSES,
  STAGES,
  STEP_NAMES,
  STEP_STATUSES,
  SUBSTEPS,
} from './vocabulary.ts';

/** Result of one export of a batch to the database. */
export const BATCH_RESULTS = ['written', 'retryable', 'rejected'] as const;
export type BatchResult = (typeof BATCH_RESULTS)[number];

/** Labels with an open set of values, which need a series budget. */
export const BUDGETED_LABELS = ['miner_hotkey', 'run_id', 'reason', 'table'] as const;
export type BudgetedLabel = (typeof BUDGETED_LABELS)[number];

/** Label value of everything beyond the series budget. No hotkey and no name can collide with it. */
export const OVERFLOW = '__overflow__';

/** What a label means and which values it takes. */
export interface LabelDefinition {
  readonly brief: string;
  /** A closed set; or identities and names, which the series budget bounds. */
  readonly values: readonly string[] | 'identity' | 'name';
}

/**
 * Every label of every metric. A lead, an attempt, a job or an error message is never a label, as its cardinality has
 * no bound; a run is one only while it is open.
 */
export const METRIC_LABELS = {
  validator_id: { brief: 'Number of the validator in the table validators', values: 'identity' },
  validator_hotkey: { brief: 'Identity of the validator', values: 'identity' },
  run_id: { brief: 'Run that has not ended, or that ended without being completed', values: 'identity' },
  miner_hotkey: { brief: 'Identity of the miner', values: 'identity' },
  miner_uid: { brief: 'Slot that the miner holds; absent when it is not known', values: 'identity' },
  database_id: { brief: 'Identity of the database, from the table database_identity', values: 'identity' },
  step: { brief: 'The step', values: STEP_NAMES },
  substep: { brief: 'The substep, without its number', values: [...new Set(Object.values(SUBSTEPS).flat())] },
  outcome: { brief: 'How the step ended', values: STEP_STATUSES },
  stage: { brief: 'Where the forecast stands, without its number', values: STAGES },
  stage_status: { brief: 'Status within the stage', values: STAGE_STATUSES },
  run_status: { brief: 'Status of the run', values: RUN_STATUSES },
  error_type: { brief: 'Category of the failure', values: ERROR_CATEGORIES },
  fault: { brief: 'Who has to act on the failure', values: FAULT_PARTIES },
  score_type: {
    brief: 'Score of day one, against GFS, or of a lead, against ERA5',
    values: SCORE_TYPES,
  },
  result: { brief: 'Result of the export of the batch', values: BATCH_RESULTS },
  label: { brief: 'Label whose series budget is used up', values: BUDGETED_LABELS },
  reason: { brief: 'Why', values: 'name' },
  table: { brief: 'Recorded table', values: 'name' },
} as const satisfies Record<string, LabelDefinition>;
export type LabelName = keyof typeof METRIC_LABELS;
