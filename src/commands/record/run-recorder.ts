import { readFile } from 'node:fs/promises';
import { acquireAll } from '#lifecycle/resource-stack';
import type { Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import { parseTokens, startIngestServer, TRACES_PATH, type IngestToken } from '#ingest';
import { startRecording } from '#recorder/recording';
import { CategorizedError } from '#semconv';
import { RECEIVER } from '#semconv/instrumentation-scope';
import { messageOf } from '#semconv/message-of';
import {
  describeAdoption,
  describeExit,
  spansAtEnd,
  RECORDING_OF_A_COMMAND,
} from '../terminal/exit-report.ts';
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
  /** The OTLP/HTTP endpoint for senders. */
  readonly traces: string;
  /** The OTLP/gRPC endpoint for senders; null when it is off. */
  readonly grpc: string | null;
  /** Whether senders need the token. */
  readonly needs_token: boolean;
  readonly metrics: string | null;
  readonly database: string;
}

/** Receives spans of other programs and records them until the signal aborts. */
export async function runRecorder({ config, isJson, output, signal }: RunRecorderOptions): Promise<void> {
  const tokens = await readTokens(config);
  const onProblem = dedupeWarnings((message) => output.problem(message));
  const { recording, endpoints, close } = await acquireAll(async ({ add, close }) => {
    const recording = await startRecording({
      config,
      validatorHotkey: RECEIVER,
      hasOwnSteps: false,
      ...RECORDING_OF_A_COMMAND,
      onProblem,
      onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
      onRetention: reportRetention(output),
    });
    add(() => recording.close());
    // Each token has its share of the spool, so that one sender cannot fill it for all.
    const shareBytes = config.spoolLimitBytes / Math.max(1, tokens.length);
    const ingest = await startIngestServer({
      host: config.ingestHost,
      port: config.ingestPort,
      grpcPort: config.ingestGrpcPort,
      tokens,
      deliver: (spans, name) => recording.receive(spans, { name, shareBytes }),
      onProblem,
      onRefused: recording.countRefused,
    });
    add(() => ingest.close());
    const endpoints: RecordingEndpoints = {
      traces: `${ingest.url}${TRACES_PATH}`,
      grpc: ingest.grpcUrl,
      needs_token: tokens.length > 0,
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

/** The token that may speak for every validator, and those of the file. */
async function readTokens({ ingestToken, ingestTokensFile }: Config): Promise<readonly IngestToken[]> {
  const forAll = ingestToken === null ? [] : [{ token: ingestToken, validators: null }];
  if (ingestTokensFile === null) return forAll;
  const text = await readFile(ingestTokensFile, 'utf8').catch((cause: unknown) => {
    throw new CategorizedError(
      'validator_internal',
      `BAROGRAPH_INGEST_TOKENS_FILE cannot be read: ${messageOf(cause)}.`,
      { cause },
    );
  });
  return [...forAll, ...parseTokens(text)];
}

const formatEndpoints = ({ traces, grpc, needs_token, metrics, database }: RecordingEndpoints): string =>
  [
    `Spans     ${traces}${needs_token ? '   (token required)' : ''}`,
    `gRPC      ${grpc ?? 'none'}`,
    `Metrics   ${metrics ?? 'none'}`,
    `Database  ${database}`,
  ].join('\n');
