import { METRICS, type MetricKey } from '#semconv/metrics';

/** Why a metric may have no series in a run in which nothing goes wrong. */
interface Excuse {
  readonly reason: string;
  /** Always empty, or by the instants at which the tables were read. */
  readonly isEmpty: 'always' | 'sometimes';
}

const EXCUSES: Readonly<Partial<Record<MetricKey, Excuse>>> = {
  recorderSpoolUnreadable: { reason: 'no spool was set aside', isEmpty: 'always' },
  recorderRejected: { reason: 'nothing was refused', isEmpty: 'always' },
  adjustedValues: { reason: 'every value was kept as it was told', isEmpty: 'always' },
  retriesScheduled: { reason: 'lines are drawn only while there are any', isEmpty: 'sometimes' },
  retriesOverdue: { reason: 'lines are drawn only while there are any', isEmpty: 'sometimes' },
  oldestRetryDue: { reason: 'a retry is overdue for a moment only', isEmpty: 'sometimes' },
  partitionsHeld: { reason: 'no partition is older than its retention', isEmpty: 'always' },
  oldestPartitionHeld: { reason: 'no partition is older than its retention', isEmpty: 'always' },
  runUnfinished: { reason: 'every run was completed', isEmpty: 'always' },
  oldestStepInProgress: { reason: 'steps of a hurried run take milliseconds', isEmpty: 'sometimes' },
};

const namesOf = (isEmpty: Excuse['isEmpty']): readonly string[] =>
  Object.entries(EXCUSES)
    .filter(([, excuse]) => excuse.isEmpty === isEmpty)
    .map(([key]) => METRICS[key as MetricKey].name);

/** Names of the metrics that panels alone may be empty of; what is always empty must be. */
export const EMPTY_ALWAYS = namesOf('always');
export const EMPTY_SOMETIMES = namesOf('sometimes');
