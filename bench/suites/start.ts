import { fileURLToPath } from 'node:url';
import type { Scale, Suite } from '../harness/suite.ts';
import { millisToFirstRow } from '../whole/first-row.ts';
import { temporaryDirectory } from '../whole/temporary-directory.ts';

const START_SCRIPT = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
const MILLIS_PER_SECOND = 1000;

/**
 * From `npm start` to the first recorded row, warm: packages, dist/ and the data directory exist, and every file is in the
 * page cache. Compared with the same program started without npm.
 */
export async function openStart(scale: Scale): Promise<Suite> {
  const { path: dataDirectory, remove } = await temporaryDirectory();
  const options = ['--miners', scale === 'quick' ? '1' : '16'];
  const throughNpm = { command: 'npm', args: ['start', '--silent', '--', ...options], dataDirectory };
  const byNode = { command: process.execPath, args: [START_SCRIPT, ...options], dataDirectory };
  try {
    // Builds dist/, makes the database and warms the page cache.
    await millisToFirstRow(throughNpm);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    comparisons: [
      {
        name: 'npm start to the first recorded row, warm',
        unit: 's',
        sides: {
          'npm start': async () => (await millisToFirstRow(throughNpm)) / MILLIS_PER_SECOND,
          'node scripts/start.mjs': async () => (await millisToFirstRow(byNode)) / MILLIS_PER_SECOND,
        },
        targets: [
          { what: 'spawn to committed row', value: (by) => by['npm start'] ?? NaN, atMost: 3, unit: 's' },
        ],
      },
    ],
    close: remove,
  };
}
