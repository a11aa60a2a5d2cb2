import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { toObservedSpan } from '#processor/observed-span';
import type { ObservedSpan } from '#facts/observed-span';
import { captureSpans } from '#test/pipeline/support/captured-spans';
import {
  ALL_LEADS,
  goodForecast,
  openBench,
  tinyStores,
  type PipelineBench,
} from '#test/pipeline/support/pipeline-bench';
import { stubMiners } from '#test/pipeline/support/stub-miners';
import { tinyFiles } from '#test/pipeline/support/tiny-world';
import { disturbed } from '#test/support/recorded-run';
import { startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const captured = captureSpans();
let bench: PipelineBench;
let spans: readonly ObservedSpan[];

/** Four miners: one that is polled, one with a bad level, one that fails its inference, one that rejects. */
beforeAll(async () => {
  bench = await openBench();
  const files = await goodForecast();
  const stub = stubMiners([
    {
      files,
      poll: (call) =>
        call < 3 ? { kind: 'running', progress: 40 * call, wireStatus: 'running' } : { kind: 'completed' },
    },
    { files: await tinyFiles({ leads: ALL_LEADS, error: 0.1, phase: 1, nanIn: ['z850'] }) },
    { files, poll: () => ({ kind: 'failed', message: 'out of GPU memory' }) },
    {
      files,
      initiateFetch: () => ({ kind: 'rejected', reason: 'hotkey verification failed', identity: true }),
    },
  ]);
  await bench.run(bench.open(stub, await tinyStores()), stub);
  spans = captured.of().flatMap((span: ReadableSpan) => {
    const ended = toObservedSpan(span, 'ended');
    return [startOfSpan(ended), ended];
  });
});
afterAll(() => bench.close());

async function tablesAfter(
  batches: readonly (readonly ObservedSpan[])[],
): Promise<Record<string, readonly string[]>> {
  const { pool } = bench.database;
  await emptyTables(pool);
  const exporter = createPostgresExporter({ pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
  return dumpTables(pool);
}

describe('the law of the tables, for a run of the pipeline', () => {
  it('the tables are byte-equal for any order, repetition and batch split of the spans', async () => {
    const clean = await tablesAfter([spans]);
    expect(clean['weather_forecast_steps']?.length).toBe(spans.length / 2);
    expect(clean['dead_letter_spans']).toEqual([]);
    expect(clean['weather_forecast_stats']).toHaveLength(4);
    const bad = clean['weather_forecast_component_scores']?.filter((row) => row.includes('coverage'));
    expect(bad).toHaveLength(2);
    await fc.assert(
      fc.asyncProperty(disturbed(spans), async (batches) => {
        expect(await tablesAfter(batches)).toEqual(clean);
      }),
      { numRuns: 25, seed: 20261126 },
    );
  });
});
