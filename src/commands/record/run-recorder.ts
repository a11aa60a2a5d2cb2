import { acquireAll } from '#lifecycle/resource-stack';
import type { Config } from '#src/config';
import { describeConnectionTarget } from '#database/connection-target';
import { startIngestServer, TRACES_PATH } from '#ingest';
import { startRecording } from '#recorder/recording';
import { describeAdoption, describeExit, spansAtEnd } from '../terminal/exit-report.ts';
import { untilAborted } from '../terminal/signals.ts';
import type { Output } from '../terminal/output.ts';
import { dedupeWarnings } from '../terminal/dedupe-warnings.ts';

/** What recording is asked for. */
export interface RunRecorderOptions {
  readonly config: Config;
  readonly isJson: boolean;
  readonly output: Output;
  /** Ends it, in good order. */
  readonly signal: AbortSignal;
}

/** Where what is found. */
export interface RecordingPlaces {
  /** Where senders bring their spans. */
  readonly traces: string;
  /** Whether they need the token. */
  readonly needs_token: boolean;
  readonly metrics: string | null;
  readonly database: string;
}

/** This process makes no steps of its own; spans name their validators themselves. */
const NO_VALIDATOR = 'barograph-record';

/** Takes spans of other programs and records them, until the signal aborts. */
export async function runRecorder({ config, isJson, output, signal }: RunRecorderOptions): Promise<void> {
  const onProblem = dedupeWarnings((message) => output.problem(message));
  const { recording, places, close } = await acquireAll(async ({ add, close }) => {
    const recording = await startRecording({
      config,
      validatorHotkey: NO_VALIDATOR,
      onProblem,
      onAdopted: (adopted) => output.problem(describeAdoption(adopted)),
    });
    add(() => recording.close());
    const ingest = await startIngestServer({
      host: config.ingestHost,
      port: config.ingestPort,
      token: config.ingestToken,
      deliver: recording.write,
      onProblem,
    });
    add(() => ingest.close());
    const places: RecordingPlaces = {
      traces: `${ingest.url}${TRACES_PATH}`,
      needs_token: config.ingestToken !== null,
      metrics: recording.metricsUrl,
      database: `${describeConnectionTarget(recording.connectionString)} (${recording.databaseKind})`,
    };
    return { recording, places, close };
  });
  try {
    output.result(isJson ? JSON.stringify(places) : formatPlaces(places));
    await untilAborted(signal, new Promise<never>(() => undefined)).catch(() => undefined);
    output.ending('Ending; what has arrived is written first. Ctrl-C again ends at once.');
  } finally {
    await close();
    if (signal.aborted) output.ending(describeExit({ steps: null, spans: spansAtEnd(recording) }));
  }
}

const formatPlaces = ({ traces, needs_token, metrics, database }: RecordingPlaces): string =>
  [
    `Spans     ${traces}${needs_token ? '   with the token' : ''}`,
    `Metrics   ${metrics ?? 'none'}`,
    `Database  ${database}`,
  ].join('\n');
