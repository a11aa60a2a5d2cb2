import { SpanStatusCode, trace } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { SpanSink } from '#exporters/export-report';
import { openRecordingSpool } from '#recorder/process-spool';
import { createSampler } from '#recorder/sampler';
import { step } from '#steps';
import { startTelemetry } from '#recorder/telemetry';
import { attributesOf, DEFINITION, work, type Call } from './work.ts';

/** A side inside its process. */
export interface OpenSide {
  readonly call: Call;
  /** Resolves when everything that was recorded has been delivered; for a side that delivers. */
  readonly flush?: () => Promise<void>;
}

export type SideName = 'bare' | 'recorded' | 'delivered' | 'by hand';

/** A database that enters the process into its books, and hangs on every batch after that: all records stay on disk. */
const TAKES_NOTHING: SpanSink = {
  export: (spans) =>
    spans.length === 0 ? Promise.resolve({ kind: 'written' }) : new Promise(() => undefined),
};
/** A database at no cost: what remains is reading the spool. */
const TAKES_AT_ONCE: SpanSink = { export: () => Promise.resolve({ kind: 'written' }) };
const NO_EXPORT: SpanExporter = {
  export: (_spans, done) => {
    done({ code: ExportResultCode.SUCCESS });
  },
  shutdown: () => Promise.resolve(),
};

const SPOOL_LIMIT_BYTES = 16 * 2 ** 30;
const EMITTER = {
  validatorHotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  instanceId: '0b9f54a7-6e6c-4b4f-9d3e-5d5f6f3a2c11',
};

/** Opens a side; it registers process-wide state, so a process has one side. */
export async function openSide(side: SideName, directory: string): Promise<OpenSide> {
  switch (side) {
    case 'bare':
      return { call: work };
    case 'recorded':
      return openRecorded(TAKES_NOTHING, directory);
    case 'delivered':
      return openRecorded(TAKES_AT_ONCE, directory);
    case 'by hand':
      return openByHand();
  }
}

/** A step, its processor and its spool, wired as `startRecording` wires them; only the database is missing. */
async function openRecorded(sink: SpanSink, directory: string): Promise<OpenSide> {
  const onProblem = (message: string): void => console.error(message);
  const spool = await openRecordingSpool({
    config: { dataDirectory: directory, spoolLimitBytes: SPOOL_LIMIT_BYTES, spoolDurability: 'system' },
    emitter: EMITTER,
    database: { connectionString: '', kind: 'embedded' },
    sink,
    measuredSink: sink,
    onProblem,
  });
  const telemetry = startTelemetry({
    config: { exportsTraces: false, serviceName: null },
    sampler: createSampler('parentbased_always_on', null),
    recorder: spool.processor,
    ...EMITTER,
    onProblem,
  });
  spool.start(telemetry.exportClosings);
  return { call: step(DEFINITION, work), flush: () => spool.processor.forceFlush() };
}

/** The same span written by hand: started, activated, its status and end set. */
function openByHand(): OpenSide {
  new NodeSDK({
    autoDetectResources: false,
    spanProcessors: [new BatchSpanProcessor({ exporter: NO_EXPORT })],
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  }).start();
  const tracer = trace.getTracer('by hand');
  const call: Call = (todo) =>
    tracer.startActiveSpan('era5 score', { attributes: attributesOf(todo) }, async (span) => {
      try {
        const result = await work(todo);
        span.setAttribute('weather.step.status', 'succeeded');
        span.setStatus({ code: SpanStatusCode.OK });
        return result;
      } catch (error) {
        span.setAttribute('weather.step.status', 'failed');
        span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
        throw error;
      } finally {
        span.end();
      }
    });
  return { call };
}
