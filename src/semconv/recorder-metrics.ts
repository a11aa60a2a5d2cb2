import { counter, gauge, histogram } from './metric-definition.ts';

/** From a handful of rows to a transaction that is about to time out, seconds. */
const BATCH_BUCKETS_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** The recorder measures itself. */
export const RECORDER_METRICS = {
  databaseInfo: gauge(
    [
      'barograph_database_info',
      '1',
      'Always 1: names the database whose rows the metrics of the miners show.',
    ],
    ['database_id'],
  ),
  recorderQueueLength: gauge(['barograph_recorder_queue_length', '1', 'Spans that wait to be recorded.']),
  recorderOldestAge: gauge([
    'barograph_recorder_oldest_age_seconds',
    'seconds',
    'Age of the oldest waiting span; absent when none waits.',
  ]),
  recorderSpoolBytes: gauge(['barograph_recorder_spool_bytes', 'bytes', 'Size of the spool on disk.']),
  recorderSpoolLimit: gauge(['barograph_recorder_spool_limit_bytes', 'bytes', 'Size limit of the spool.']),
  recorderSpoolUnreadable: gauge([
    'barograph_recorder_spool_unreadable_bytes',
    'bytes',
    'Size of the spools that were set aside beside the spool of this process, because they cannot be read; 0 is right.',
  ]),
  recorderDropped: counter(
    ['barograph_recorder_dropped_total', '1', 'Spans that were lost, by reason.'],
    ['reason'],
  ),
  recorderRejected: counter(
    ['barograph_recorder_rejected_total', '1', 'Spans that were rejected, by reason.'],
    ['reason'],
  ),
  recorderBatches: counter(
    ['barograph_recorder_batches_total', '1', 'Batches exported to the database, by result.'],
    ['result'],
  ),
  recorderBatchDuration: histogram(
    [
      'barograph_recorder_batch_duration_seconds',
      'seconds',
      'Time from the export of a batch to its result.',
    ],
    BATCH_BUCKETS_SECONDS,
    ['result'],
  ),
  recorderRowsWritten: counter(
    ['barograph_recorder_rows_written_total', '1', 'Rows inserted or changed, by table.'],
    ['table'],
  ),
  recorderLastCommit: gauge([
    'barograph_recorder_last_commit_timestamp_seconds',
    'seconds',
    'When a batch was last committed.',
  ]),
  partitionsHeld: gauge(
    [
      'barograph_partitions_held_by_open_run',
      '1',
      'Partitions of the log beyond their retention that the newest round of retention kept for a run that has not ended.',
    ],
    ['validator_id', 'run_id'],
  ),
  oldestPartitionHeld: gauge(
    [
      'barograph_oldest_partition_held_by_open_run_timestamp_seconds',
      'seconds',
      'When the oldest partition that is kept for a run that has not ended exceeded its retention.',
    ],
    ['validator_id', 'run_id'],
  ),
  minerStatsDrift: gauge([
    'barograph_miner_stats_drift_rows',
    '1',
    'Rows of miner_stats that differed from the metrics at the last comparison; 0 is right.',
  ]),
  minersOverflowed: gauge(
    [
      'barograph_metrics_overflowed_miners',
      '1',
      'Miners of a validator that have one series together, of each counter, because the series budget is used up.',
    ],
    ['validator_id'],
  ),
  overflow: counter(
    ['barograph_metrics_overflow_total', '1', 'Observations beyond the series budget, by label.'],
    ['label'],
  ),
} as const;
