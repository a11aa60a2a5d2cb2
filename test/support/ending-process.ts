import { readConfig } from '#src/config';
import { startRecording } from '#recorder/recording';
import { query } from './query-step.ts';

/** A process that records a step and ends in the same tick, as its last argument names, without closing anything. */
const [databaseUrl = '', dataDirectory = '', how = ''] = process.argv.slice(2);

await startRecording({
  config: readConfig({
    DATABASE_URL: databaseUrl,
    BAROGRAPH_DATA_DIR: dataDirectory,
    BAROGRAPH_METRICS_PORT: '0',
  }),
  validatorHotkey: '5Validator',
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
setImmediate(() => {
  query(1);
  if (how === 'exit') process.exit(3);
  if (how === 'reject') return void Promise.reject(new Error('nobody caught this rejection'));
  throw new Error('nobody caught this');
});
