import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { ensureInstalled, ROOT } from './ensure-installed.mjs';

/**
 * The fault tests, which kill programs and databases; arguments go to the tests. The quick form takes about a minute.
 *
 * The full form: BAROGRAPH_FAULT_PIPELINE_KILLS=50 BAROGRAPH_FAULT_MINERS=32 npm run test:faults
 */
ensureInstalled({ withTools: true });
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'vitest.faults.config.ts', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
