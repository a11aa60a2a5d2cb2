import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { ensureInstalled, ROOT } from './ensure-installed.mjs';

/** The tests against real servers. Arguments go to the tests: `npm run test:servers -- test/servers/rules.test.ts`. */
ensureInstalled({ withTools: true });
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'vitest.servers.config.ts', ...process.argv.slice(2)];
process.exitCode =
  spawnSync(process.execPath, [vitest, ...args], { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
