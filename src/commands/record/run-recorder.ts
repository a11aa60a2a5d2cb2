import { acquireAll } from '#lifecycle/resource-stack';
import type { Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import { startIngestServer, TRACES_PATH } from '#ingest';
import { startRecording } from '#recorder/recording';
import { RECEIVER } from '#semconv/instrumentation-scope';
import { describeAdoption, describeExit, spansAtEnd } from '../terminal/exit-report.ts';
import { reportRetention } from '../terminal/retention-report.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import { dedupeWarnings } from '../terminal/dedupe-warnings.ts';

/** How spans of other programs are recorded. */
export interface RunRecorderOptions {
  readonly config: Config;
  readonly isJson: boolean;
  readonly output: Output;
  /** Ends the recorder gracefully. */
  readonly signal: AbortSignal;
}

/** Where a recorder listens and writes. */
export interface RecordingEndpoints {
  /** The OTLP endpoint for senders. */
  readonly traces: string;
  /** Whether senders need the token. */
  readonly needs_token: boolean;
  readonly metrics: string | null;
  readonly database: string;
}

/** Receives spans of other programs and records them until the signal aborts. */
export async function runRecorder({ config, isJson, output, signal }: RunRecorderOptions): Promise<void> {
  const onProblem = dedupeWarnings((message) => output.problem(message));
  const { recording, endpoints, close } = await acquireAll(async ({ add, close }) => {
    const recording = await startRecording({
      config,
      validatorHotkey: RECEIVER,
      hasOwnSteps: false,
      onProblem,
      onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
      onRetention: reportRetention(output),
    });
    add(() => recording.close());
    const ingest = await startIngestServer({
      host: config.ingestHost,
      port: config.ingestPort,
      token: config.ingestToken,
      deliver: (spans) => recording.receive(spans, { name: '', shareBytes: config.spoolLimitBytes }),
      onProblem,
      onRefused: recording.countRefused,
    });
    add(() => ingest.close());
    const endpoints: RecordingEndpoints = {
      traces: `${ingest.url}${TRACES_PATH}`,
      needs_token: config.ingestToken !== null,
      metrics: recording.metricsUrl,
      database: `${describeConnectionTarget(recording.connectionString)} (${recording.databaseKind})`,
    };
    return { recording, endpoints, close };
  });
  try {
    output.result(isJson ? JSON.stringify(endpoints) : formatEndpoints(endpoints));
    await untilAborted(signal, new Promise<never>(() => undefined)).catch(() => undefined);
    output.ending('Ending; received spans are written first. Ctrl-C again ends at once.');
  } finally {
    await close();
    if (signal.aborted) output.ending(describeExit({ steps: null, spans: spansAtEnd(recording) }));
  }
}

const formatEndpoints = ({ traces, needs_token, metrics, database }: RecordingEndpoints): string =>
  [
    `Spans     ${traces}${needs_token ? '   (token required)' : ''}`,
    `Metrics   ${metrics ?? 'none'}`,
    `Database  ${database}`,
  ].join('\n');
