-- A comment only: a late span is rejected only where its run has lost rows of the log.

comment on table dropped_partitions is
  'Partitions of the log that retention dropped. A late span of one of them becomes a dead letter if its run is in archived_runs.';
