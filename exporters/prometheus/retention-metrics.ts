import type { HeldPartition } from '#facts/pipeline-state';
import type { EpochMicros } from '#facts/step-fact';
import { METRICS } from '#semconv/metrics';
import type { OverflowListener } from './named-counts.ts';
import type { MetricRegistry } from './registry.ts';
import type { Labels } from './sample-line.ts';

/** Gauges of what retention keeps. */
export interface RetentionMetrics {
  /** Replaces the partitions that are kept by those of the newest round of retention. */
  show(held: readonly HeldPartition[]): void;
}

export interface RetentionMetricsOptions {
  /** Runs that have series of their own. */
  readonly maxRuns: number;
  readonly onOverflow: OverflowListener;
}

/** A run, with the partitions that are kept for it. */
interface HoldingLine {
  readonly labels: Labels<'validator_id' | 'run_id'>;
  readonly partitions: number;
  readonly oldest: EpochMicros;
}

/** Registers the gauges of retention: the partitions that are kept for each run that has not ended. */
export function createRetentionMetrics(
  registry: MetricRegistry,
  { maxRuns, onOverflow }: RetentionMetricsOptions,
): RetentionMetrics {
  let lines: readonly HoldingLine[] = [];
  registry.derived(METRICS.partitionsHeld, () =>
    lines.map(({ labels, partitions }) => ({ labels, value: partitions })),
  );
  registry.derived(METRICS.oldestPartitionHeld, () =>
    lines.map(({ labels, oldest }) => ({ labels, value: oldest / 1e6 })),
  );
  return {
    show: (held) => {
      const all = linesOf(held);
      lines = all.slice(0, maxRuns);
      if (all.length > maxRuns) onOverflow('run_id', all.length - maxRuns);
    },
  };
}

/** One line for each run, in the order in which the runs began to hold a partition. */
function linesOf(held: readonly HeldPartition[]): readonly HoldingLine[] {
  const lines = new Map<string, HoldingLine>();
  for (const { expiredAt, runs } of held) {
    for (const { validatorId, runId } of runs) {
      const key = `${validatorId}/${runId}`;
      const before = lines.get(key);
      lines.set(key, {
        labels: { validator_id: String(validatorId), run_id: String(runId) },
        partitions: (before?.partitions ?? 0) + 1,
        oldest: Math.min(before?.oldest ?? expiredAt, expiredAt),
      });
    }
  }
  return [...lines.values()].sort((a, b) => a.oldest - b.oldest);
}
