import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const OWN_VARIABLES = /^(DATABASE_URL|BAROGRAPH_|OTEL_|PG|NODE_OPTIONS)/;

/** How long a recorder took to adopt and deliver the spools it found at its start. */
export interface Adoption {
  /** From the start of the process until everything was delivered, ms. */
  readonly millis: number;
  /** Peak resident memory of the process, bytes; NaN where the system does not report it. */
  readonly peakBytes: number;
}

/** Runs the compiled `barograph record` until it has delivered the spool of a dead process. */
export async function adoptByRecorder(environment: Readonly<Record<string, string>>): Promise<Adoption> {
  await run(process.execPath, [join(ROOT, 'scripts/build.mjs')]);
  const inherited = Object.entries(process.env).filter(([variable]) => !OWN_VARIABLES.test(variable));
  const startedAt = performance.now();
  const recorder = spawn(
    process.execPath,
    [join(ROOT, 'dist/src/cli.js'), 'record', '--port', '0', '--grpc-port', 'off'],
    {
      env: { ...Object.fromEntries(inherited), BAROGRAPH_METRICS_PORT: '0', ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(recorder, 'close');
  try {
    await untilOutput(recorder.stderr, /records? (was|were) delivered/);
    const millis = performance.now() - startedAt;
    return { millis, peakBytes: await peakBytesOf(recorder.pid) };
  } finally {
    recorder.kill();
    await ended;
  }
}

function untilOutput(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
      if (pattern.test(output)) resolve();
    });
    stream.on('end', () => reject(new Error(`The recorder ended before it had delivered all: ${output}`)));
  });
}

/** The high-water mark of the resident set, as Linux keeps it. */
async function peakBytesOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid ?? ''}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * 1024;
}
