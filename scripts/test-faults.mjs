import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { ensureInstalled, ROOT } from './ensure-installed.mjs';

/**
 * The fault tests, which kill programs and databases. The quick form takes some minutes.
 *
 *   --full          the repetitions of docs/reliability.md: about a quarter of an hour
 *   --minutes N     again and again with the next seed, until N minutes are over
 *   --seed N        seed of all random choices; 1 by default
 *
 * What follows `--` goes to the tests.
 */
const FULL = {
  BAROGRAPH_FAULT_RECORDER_KILLS: '200',
  BAROGRAPH_FAULT_SPOOL_LOSSES: '40',
  BAROGRAPH_FAULT_ROUNDS: '500',
  BAROGRAPH_FAULT_PIPELINE_KILLS: '50',
  BAROGRAPH_FAULT_MINERS: '32',
  BAROGRAPH_FAULT_OUTAGE_SPANS: '300000',
  BAROGRAPH_FAULT_DATABASE_FAULTS: '10',
  BAROGRAPH_FAULT_DISORDER_ROUNDS: '100',
  BAROGRAPH_FAULT_CUT_EVERY: '1',
  BAROGRAPH_FAULT_BIT_FLIPS: '10000',
  BAROGRAPH_FAULT_FULL_ROUNDS: '20000',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: process.env.BAROGRAPH_FAULT_SEED ?? '1' },
  },
});

ensureInstalled({ withTools: true });
const until = performance.now() + Number(values.minutes) * 60_000;
let seed = Number(values.seed);
let status = run(seed);
while (status === 0 && performance.now() < until) status = run((seed += 1));
process.exitCode = status;

function run(withSeed) {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--config', 'vitest.faults.config.ts', ...positionals];
  const env = { ...(values.full ? FULL : {}), ...process.env, BAROGRAPH_FAULT_SEED: String(withSeed) };
  return spawnSync(process.execPath, [vitest, ...args], { cwd: ROOT, stdio: 'inherit', env }).status ?? 1;
}
