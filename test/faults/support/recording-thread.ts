import { parentPort, workerData } from 'node:worker_threads';
import { readConfig } from '#src/config';
import { startRecording } from '#recorder/recording';
import { endlessQuery, query } from '#test/support/query-step';

/** A worker thread that records three steps of run 1, of which one never ends, and waits to be terminated. */
const { databaseUrl, dataDirectory } = workerData as { databaseUrl: string; dataDirectory: string };

await startRecording({
  config: readConfig({
    DATABASE_URL: databaseUrl,
    BAROGRAPH_DATA_DIR: dataDirectory,
    BAROGRAPH_METRICS_PORT: '0',
  }),
  validatorHotkey: '5Validator',
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
query(1);
query(1);
void endlessQuery(1);
setImmediate(() => parentPort?.postMessage('recorded'));
