import { describe, expect, it } from 'vitest';
import type { ExportReport } from '#exporters/export-report';
import { withBatchMetrics } from '#prometheus/measured-sink';
import { METRICS } from '#semconv/metrics';
import { exporterFor, shown } from './fixtures.ts';

const batches = METRICS.recorderBatches.name;

describe('withBatchMetrics', () => {
  it.each<ExportReport>([
    { kind: 'written' },
    { kind: 'retryable', error: new Error('database is down') },
    { kind: 'rejected', error: new Error('row is refused') },
  ])('the report $kind passes through and is counted', async (report) => {
    const exporter = exporterFor();
    const sink = withBatchMetrics({ export: async () => report }, exporter.recorder);
    expect(await sink.export([])).toBe(report);
    expect(await shown(exporter, batches)).toContain(`${batches}{result="${report.kind}"} 1`);
  });

  it('an error of the sink passes through unchanged and counts as a retryable batch', async () => {
    const exporter = exporterFor();
    const error = new Error('broken');
    const sink = withBatchMetrics({ export: () => Promise.reject(error) }, exporter.recorder);
    await expect(sink.export([])).rejects.toBe(error);
    expect(await shown(exporter, batches)).toContain(`${batches}{result="retryable"} 1`);
  });
});
