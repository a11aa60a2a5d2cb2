import { describe, expect, it } from 'vitest';
import type { HeldPartition } from '#facts/pipeline-state';
import { METRICS } from '#semconv/metrics';
import { AT, exporterFor, shown } from './fixtures.ts';

const DAY = 86_400_000_000;
const run = (runId: number, validatorId = 1) => ({
  validatorId,
  validatorHotkey: `5Validator${validatorId}`,
  runId,
  status: 'awaiting_results' as const,
  isOverdue: false,
});
const held = (name: string, days: number, ...runs: HeldPartition['runs']): HeldPartition => ({
  name,
  expiredAt: AT - days * DAY,
  runs,
});

describe('Metrics of retention', () => {
  it('each run that has not ended shows how many partitions it keeps, and since when the oldest', async () => {
    const exporter = exporterFor();
    exporter.showHeldPartitions([
      held('steps_1', 9, run(7), run(7, 2)),
      held('steps_2', 2, run(7), run(8)),
      held('scores_1', 4, run(8)),
    ]);
    expect(await shown(exporter, METRICS.partitionsHeld.name)).toEqual([
      'barograph_partitions_held_by_open_run{validator_id="1",run_id="7"} 2',
      'barograph_partitions_held_by_open_run{validator_id="2",run_id="7"} 1',
      'barograph_partitions_held_by_open_run{validator_id="1",run_id="8"} 2',
    ]);
    const since = (days: number): string => String((AT - days * DAY) / 1e6);
    expect(await shown(exporter, METRICS.oldestPartitionHeld.name)).toEqual([
      `barograph_oldest_partition_held_by_open_run_timestamp_seconds{validator_id="1",run_id="7"} ${since(9)}`,
      `barograph_oldest_partition_held_by_open_run_timestamp_seconds{validator_id="2",run_id="7"} ${since(9)}`,
      `barograph_oldest_partition_held_by_open_run_timestamp_seconds{validator_id="1",run_id="8"} ${since(4)}`,
    ]);
  });

  it('a round replaces the one before, so a run that has ended has no series', async () => {
    const exporter = exporterFor();
    exporter.showHeldPartitions([held('steps_1', 9, run(7))]);
    exporter.showHeldPartitions([]);
    expect(await shown(exporter, METRICS.partitionsHeld.name)).toEqual([]);
    expect(await shown(exporter, METRICS.oldestPartitionHeld.name)).toEqual([]);
  });

  it('the runs that hold longest have series within the budget, and the others are counted', async () => {
    const exporter = exporterFor({ limits: { maxRuns: 2 } });
    exporter.showHeldPartitions([1, 2, 3, 4].map((runId) => held(`steps_${runId}`, runId, run(runId))));
    expect(await shown(exporter, METRICS.partitionsHeld.name)).toEqual([
      'barograph_partitions_held_by_open_run{validator_id="1",run_id="4"} 1',
      'barograph_partitions_held_by_open_run{validator_id="1",run_id="3"} 1',
    ]);
    expect(await shown(exporter, METRICS.overflow.name)).toContain(
      'barograph_metrics_overflow_total{label="run_id"} 2',
    );
  });
});
