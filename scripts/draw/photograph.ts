import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from './page.ts';
import { smallPng } from './small-png.ts';

const QUIET = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Writes a picture of a page, with the Chromium of this machine. */
export async function photograph({ html, size }: Page, path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-page-'));
  try {
    const page = join(folder, 'page.html');
    await writeFile(page, html);
    await run('chromium', [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        '--force-device-scale-factor=1',
        ...QUIET,
      ],
      `--user-data-dir=${join(folder, 'profile')}`,
      `--window-size=${size.width},${size.height}`,
      `--screenshot=${join(folder, 'page.png')}`,
      pathToFileURL(page).href,
    ]);
    await writeFile(path, smallPng(await readFile(join(folder, 'page.png'))));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errorOutput = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${errorOutput}`);
}
