import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '#database/embedded/free-port';
import type { ObservedSpan } from '#facts/observed-span';
import type { SinkReport } from '#ingest';
import { queryStep, sdkSpans } from '../ingest/support/sdk-spans.ts';
import { send, serving } from '../ingest/support/serving.ts';
import { eventually, startServer } from './support/running-server.ts';
import { findServerPrograms } from './support/server-programs.ts';

const { programs, reason } = findServerPrograms();
if (programs === null) console.warn(reason);

/** As little as brings spans to a receiver over gRPC; all else is the default of the Collector. */
const configuration = (
  ports: { in: number; health: number },
  endpoint: string,
  compression: string,
): string => `
receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${ports.in}' } } } }
extensions: { health_check: { endpoint: '127.0.0.1:${ports.health}' } }
exporters: { otlp_grpc: { endpoint: '${endpoint}', compression: ${compression}, tls: { insecure: true } } }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_grpc] } }
`;

const BATCHES = 20;
const REFUSED_FIRST = 3;

describe.skipIf(programs === null)('the exporter otlp_grpc of the Collector', () => {
  it.each(['gzip', 'zstd', 'none'])(
    'the exporter otlp_grpc with compression %s brings every span, also those that were refused at first',
    async (compression) => {
      const kept: ObservedSpan[] = [];
      let refusals = 0;
      const deliver = async (spans: readonly ObservedSpan[]): Promise<SinkReport> => {
        if (refusals++ < REFUSED_FIRST) return { kind: 'retryable', error: new Error('the spool is full') };
        kept.push(...spans);
        return { kind: 'written' };
      };
      const folder = await mkdtemp(join(tmpdir(), 'barograph-grpc-'));
      await serving({ deliver, grpcPort: 0 }, async ({ server }) => {
        const ports = { in: await findFreePort(), health: await findFreePort() };
        const config = join(folder, 'collector.yaml');
        await writeFile(config, configuration(ports, new URL(server.grpcUrl ?? '').host, compression));
        const collector = await startServer({
          program: programs?.collector ?? '',
          args: ['--config', config],
          env: {},
          healthUrl: `http://127.0.0.1:${ports.health}/`,
        });
        try {
          for (let batch = 0; batch < BATCHES; batch += 1) {
            const spans = [...sdkSpans([{ attributes: queryStep(), at: batch * 10 }])];
            const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
            expect((await send({ port: ports.in }, { body })).status).toBe(200);
          }
          const came = (): number => new Set(kept.map(({ spanId }) => spanId)).size;
          await eventually(async () => came() >= BATCHES, 'every span has come');
          expect([came(), refusals > REFUSED_FIRST]).toEqual([BATCHES, true]);
        } finally {
          await collector.stop();
        }
      });
      await rm(folder, { recursive: true, force: true });
    },
  );
});
