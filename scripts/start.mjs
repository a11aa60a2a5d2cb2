import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build, isBuilt } from './build.mjs';
import { ensureInstalled, ROOT } from './ensure-installed.mjs';

// Prepares a fresh clone first. Standard output is left to the command.
ensureInstalled({ withTools: !isBuilt() });
if (!build()) process.exit(1);
await import(pathToFileURL(join(ROOT, 'dist', 'src', 'start-command.js')).href);
