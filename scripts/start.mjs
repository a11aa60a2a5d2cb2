import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build, isBuilt } from './build.mjs';
import { ensureInstalled, ROOT } from './ensure-installed.mjs';

// What a fresh clone needs is made first. Standard output stays the command's own.
ensureInstalled({ withTools: !isBuilt() });
if (!build()) process.exit(1);
await import(pathToFileURL(join(ROOT, 'dist', 'src', 'start-command.js')).href);
