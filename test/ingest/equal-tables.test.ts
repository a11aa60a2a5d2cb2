import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { IngestServer } from '#ingest';
import { withNamedSenders, type DeliverBatch } from '#ingest/deliver-spans';
import { toObservedSpan } from '#processor/observed-span';
import { captureSpans } from '../pipeline/support/captured-spans.ts';
import {
  goodForecast,
  openBench,
  tinyStores,
  type PipelineBench,
} from '../pipeline/support/pipeline-bench.ts';
import { stubMiners } from '../pipeline/support/stub-miners.ts';
import { dumpTables, emptyTables } from '../support/tables.ts';
import { queryStep, sdkSpans } from './support/sdk-spans.ts';
import { send, serving } from './support/serving.ts';

const captured = captureSpans();
let bench: PipelineBench;
let spans: ReadableSpan[];
let expected: Record<string, readonly string[]>;

/** A real run with a miner that is polled and one that fails, and a span that breaks the vocabulary. */
beforeAll(async () => {
  bench = await openBench();
  const files = await goodForecast();
  const stub = stubMiners([
    {
      files,
      poll: (call) =>
        call < 2 ? { kind: 'running', progress: 40, wireStatus: 'running' } : { kind: 'completed' },
    },
    { files, poll: () => ({ kind: 'failed', message: 'out of GPU memory' }) },
  ]);
  await bench.run(bench.open(stub, await tinyStores()), stub);
  const broken = sdkSpans([{ attributes: queryStep({ 'weather.step.status': 'finished' }) }]);
  spans = [...captured.of(), ...broken];
  const exporter = createPostgresExporter({ pool: bench.database.pool });
  await emptyTables(bench.database.pool);
  // The pipeline of the bench sets no instance, which the receiver adds.
  await exporter.exportObserved(withNamedSenders(spans.map((span) => toObservedSpan(span, 'ended'))));
  expected = await dumpTables(bench.database.pool);
});
beforeEach(() => emptyTables(bench.database.pool));
afterAll(() => bench.close());

/** The tables after `use` has sent spans to a server that writes them. */
async function tablesAfter(
  use: (server: IngestServer) => Promise<void>,
): Promise<Record<string, readonly string[]>> {
  const exporter = createPostgresExporter({ pool: bench.database.pool });
  const deliver: DeliverBatch = (batch) => exporter.exportObserved(batch);
  await serving({ deliver, grpcPort: 0 }, ({ server }) => use(server));
  return dumpTables(bench.database.pool);
}

const exported = (exporter: OTLPTraceExporter | GrpcTraceExporter): Promise<ExportResult> =>
  new Promise((resolve) => exporter.export(spans, resolve));

describe('the spans of a real run', () => {
  it('the spans of a real run fill the tables, or nothing below would be proved', () => {
    expect(expected['weather_forecast_steps']?.length).toBeGreaterThan(15);
    expect(expected['weather_forecast_component_scores']?.length).toBeGreaterThan(5);
    expect(expected['weather_forecast_stats']).toHaveLength(2);
    expect(expected['dead_letter_spans']).toHaveLength(1);
  });

  it.each([CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP])(
    'the spans of a real run give byte-equal tables over the OTLP exporter of the SDK, compression %s, and in process',
    async (compression) => {
      const tables = await tablesAfter(async ({ port }) => {
        const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces`, compression });
        expect(await exported(exporter)).toMatchObject({ code: ExportResultCode.SUCCESS });
        await exporter.shutdown();
      });
      expect(tables).toEqual(expected);
    },
  );

  it.each([CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP])(
    'the spans of a real run give byte-equal tables over the gRPC exporter of the SDK, compression %s, and in process',
    async (compression) => {
      const tables = await tablesAfter(async ({ grpcUrl }) => {
        const exporter = new GrpcTraceExporter({ url: grpcUrl ?? '', compression });
        expect(await exported(exporter)).toMatchObject({ code: ExportResultCode.SUCCESS });
        expect(await exported(exporter)).toMatchObject({ code: ExportResultCode.SUCCESS });
        await exporter.shutdown();
      });
      expect(tables).toEqual(expected);
    },
  );

  it('the spans of a real run give byte-equal tables in protobuf, also when the sender retries all of them', async () => {
    const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
    const tables = await tablesAfter(async ({ port }) => {
      for (let time = 0; time < 2; time += 1) {
        const seen = await send({ port }, { body });
        expect(seen.status).toBe(200);
        expect(ProtobufTraceSerializer.deserializeResponse(seen.body)).toMatchObject({
          partialSuccess: { rejectedSpans: 1, errorMessage: expect.stringContaining('"finished"') as string },
        });
      }
    });
    expect(tables).toEqual(expected);
  });
});
