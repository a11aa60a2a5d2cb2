import { createPostgresExporter } from '#postgres/exporter';
import type { Pool } from 'pg';
import type { ObservedSpan } from '#facts/observed-span';
import type { Random } from '#world';
import { dumpTables, emptyTables } from '#test/support/tables';

/** The tables after these writers have written their spans, all at once, each in batches. */
export async function tablesAfter(
  pool: Pool,
  writers: readonly (readonly ObservedSpan[])[],
  batchSize: number,
): Promise<Record<string, readonly string[]>> {
  await emptyTables(pool);
  await pool.query(`insert into validators (hotkey) values ('5Validator')`);
  await Promise.all(writers.map((spans) => writeInBatches(pool, spans, batchSize)));
  return dumpTables(pool);
}

async function writeInBatches(pool: Pool, spans: readonly ObservedSpan[], batchSize: number): Promise<void> {
  const exporter = createPostgresExporter({ pool });
  for (let start = 0; start < spans.length; start += batchSize) {
    const report = await exporter.exportObserved(spans.slice(start, start + batchSize));
    if (report.kind !== 'written') throw new Error(`A batch was not written: ${JSON.stringify(report)}`);
  }
}

/** The same spans in an order that a seed chooses. */
export function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  return items
    .map((item) => [random(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}

const NANOS_OF_A_SECOND = 1e9;

/** The spans as emitters with skewed clocks send them: each clock is off by up to five seconds. */
export function withSkewedClocks(
  spans: readonly ObservedSpan[],
  emitters: number,
  random: Random,
): readonly ObservedSpan[] {
  const skews = Array.from({ length: emitters }, () =>
    BigInt(Math.round((random() * 10 - 5) * NANOS_OF_A_SECOND)),
  );
  return spans.map((span) => {
    const emitter = Number.parseInt(span.spanId.slice(-4), 16) % emitters;
    const skew = skews[emitter] ?? 0n;
    return {
      ...span,
      startTimeUnixNano: span.startTimeUnixNano + skew,
      endTimeUnixNano: span.endTimeUnixNano === null ? null : span.endTimeUnixNano + skew,
      resource: { ...span.resource, 'service.instance.id': `emitter-${emitter}` },
    };
  });
}
