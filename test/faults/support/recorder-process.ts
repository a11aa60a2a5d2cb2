import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Measured } from './measured-work.ts';

/** The load of a recording process; passed as JSON. */
export interface RecordingLoad {
  readonly databaseUrl: string;
  /** The same for every process that takes its place. */
  readonly dataDirectory: string;
  readonly seed: number;
  /** Concurrent rounds of background work, from start to end of the process. */
  readonly inFlight: number;
  /** Concurrent rounds of commanded work. */
  readonly commandedInFlight: number;
  /** How long a step takes at most, ms. */
  readonly stepMillis: number;
  readonly spoolLimitMib: number;
  /** `5Validator` unless given. */
  readonly validatorHotkey?: string;
  readonly durability?: 'system' | 'disk';
  /** How long a graceful end waits for the database, ms. */
  readonly flushTimeoutMillis?: number;
}

/** A recording process. */
export interface RecorderProcess {
  readonly pid: number;
  /** Resolves with the URL of its metrics; rejects with its standard error if it ends before. */
  readonly started: Promise<string>;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The run of each span that it acknowledged so far; all of them once it has ended. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Commands a number of rounds of work. @returns what the process measured */
  readonly work: (rounds: number) => Promise<CommandedWork>;
  /** Closes its input: it shuts down gracefully, unless it has background work. */
  readonly endInput: () => void;
  /** Its last line on standard output. */
  readonly lastLine: () => string;
  readonly kill: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>;
  /** Its standard error so far. */
  readonly stderr: () => string;
}

/** The surroundings of a recording process. */
export interface Surroundings {
  /** A program with its arguments that starts it. */
  readonly before?: readonly string[];
  /** How far its wall clock is off, ms. */
  readonly clockMillis?: number;
  /** Compiled sources, which start five times as fast. */
  readonly bundle?: RecorderBundle;
}

/** The files of a compiled recording process. */
export interface RecorderBundle {
  readonly program: string;
  readonly clock: string;
}

/** Sources find their files where they stand, compiled or not. */
const keepDirnames: Plugin = {
  name: 'keep dirnames',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: 'ts' };
    }),
};

/** Compiles the recording process into a folder below this package, from which its packages are found. */
export async function bundleRecorder(folder: string): Promise<RecorderBundle> {
  await build({
    plugins: [keepDirnames],
    entryPoints: [PROGRAM, SHIFTED_CLOCK],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    ...{ bundle: true, platform: 'node', format: 'esm', packages: 'external' },
  });
  return { program: join(folder, 'recording-process.mjs'), clock: join(folder, 'shifted-clock.mjs') };
}

/** The measurements of commanded work. */
export interface CommandedWork extends Measured {
  readonly queued: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly retries: number;
}

const PROGRAM = join(import.meta.dirname, 'recording-process.ts');
const SHIFTED_CLOCK = join(import.meta.dirname, 'shifted-clock.ts');

/**
 * Starts a recording process; the sources are compiled as they are loaded, which takes about a second.
 *
 * @param surroundings of the process; those of the test unless given
 */
export function startRecorderProcess(
  load: RecordingLoad,
  { before = [], clockMillis, bundle }: Surroundings = {},
): RecorderProcess {
  const clock = clockMillis === undefined ? [] : ['--import', SHIFTED_CLOCK];
  const program =
    bundle === undefined
      ? ['--import', 'tsx', ...clock, PROGRAM]
      : ['--import', bundle.clock, bundle.program];
  const node = [process.execPath, ...program, JSON.stringify(load)];
  const [command = process.execPath, ...args] = [...before, ...node];
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, BAROGRAPH_FAULT_CLOCK_MILLIS: String(clockMillis ?? 0) },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const acknowledged = collectLines(child.stdio[3] as Readable);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const fail = (): Promise<never> =>
    ended.then((code) => Promise.reject(new Error(`The recorder ended with ${code}: ${stderr}`)));
  const lines = createInterface({ input: child.stdout });
  let lastLine = '';
  lines.on('line', (line) => (lastLine = line));
  const nextLine = (): Promise<string> =>
    Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), fail()]);
  const started = nextLine().then((line) => line.replace(/^started /, ''));
  started.catch(() => undefined);
  // The process may have been killed before it read the command.
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    started,
    ended,
    acknowledged,
    work: async (rounds) => {
      const reply = nextLine();
      child.stdin.write(`${rounds}\n`);
      return JSON.parse(await reply) as CommandedWork;
    },
    endInput: () => child.stdin.end(),
    lastLine: () => lastLine,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    stderr: () => stderr,
  };
}

/** The complete lines of a stream; a partial last line is no acknowledgement. */
function collectLines(stream: Readable): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const [spanId = '', runId = ''] = part.split(' ');
      lines.set(spanId, runId);
    }
  });
  return lines;
}
