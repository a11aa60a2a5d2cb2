import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { readConfig } from '#src/config';
import { startRecording } from '#recorder/recording';
import { measureWork } from './measured-work.ts';
import { createWork } from './recorded-work.ts';
import type { RecordingLoad } from './recorder-process.ts';

/**
 * A process that records steps, to be killed or commanded. It prints `started` and the URL of its metrics on standard
 * output; on descriptor 3 it acknowledges each step, by span id and run, as soon as its caller knows of its end.
 *
 * A line of standard input is a number of rounds of work; the reply is a line of measurements. The end of the input, or
 * SIGTERM, shuts it down gracefully.
 */
const load = JSON.parse(process.argv[2] ?? '') as RecordingLoad;
const ACKNOWLEDGED = 3;

const recording = await startRecording({
  metricsServer: true,
  traces: true,
  config: readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'],
    DATABASE_URL: load.databaseUrl,
    BAROGRAPH_DATA_DIR: load.dataDirectory,
    BAROGRAPH_METRICS_PORT: '0',
    BAROGRAPH_SPOOL_LIMIT_MIB: String(load.spoolLimitMib),
    ...(load.durability === undefined ? {} : { BAROGRAPH_SPOOL_DURABILITY: load.durability }),
  }),
  validatorHotkey: load.validatorHotkey ?? '5Validator',
  ...(load.flushTimeoutMillis === undefined ? {} : { flushTimeoutMillis: load.flushTimeoutMillis }),
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
const { doOnce } = createWork({
  ...load,
  acknowledge: (spanId, runId) => void writeSync(ACKNOWLEDGED, `${spanId} ${runId}\n`),
});
const state = { isEnding: false };
const commands = createInterface({ input: process.stdin });
process.once('SIGTERM', () => {
  state.isEnding = true;
  commands.close();
});
process.stdout.write(`started ${recording.metricsUrl}\n`);

async function workOn(): Promise<void> {
  while (!state.isEnding) await doOnce();
}

async function runCommands(): Promise<void> {
  for await (const line of commands) {
    const measured = await measureWork(doOnce, { rounds: Number(line), inFlight: load.commandedInFlight });
    process.stdout.write(`${JSON.stringify({ ...measured, ...recording.counters() })}\n`);
  }
}

await Promise.all([...Array.from({ length: load.inFlight }, workOn), runCommands()]);
// Who is told to end does not wait for a database that is away.
if (!state.isEnding) await recording.adopted;
await recording.close();
const { dropped } = recording.counters();
process.stdout.write(
  `${JSON.stringify({ remainder: recording.remainder(), dropped, maxRssBytes: process.resourceUsage().maxRSS * 1024 })}\n`,
);
