import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** What a recording process is told; it travels as JSON. */
export interface RecordingLoad {
  readonly databaseUrl: string;
  /** The same for every process that takes its place. */
  readonly dataDirectory: string;
  readonly seed: number;
  /** Steps at a time; none: the process only looks after what others left, and ends. */
  readonly inFlight: number;
  /** How long a step takes at most, ms. */
  readonly stepMillis: number;
  readonly spoolLimitMib: number;
}

/** A recording process. */
export interface RecorderProcess {
  readonly pid: number;
  /** Resolves when it works; rejects with what it said when it ended before. */
  readonly started: Promise<void>;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ids of the spans that it acknowledged so far; all of them once it has ended. */
  readonly acknowledged: ReadonlySet<string>;
  readonly kill: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>;
  /** What it said on standard error so far. */
  readonly told: () => string;
}

const PROGRAM = join(import.meta.dirname, 'recording-process.ts');

/** Starts a recording process; the sources are compiled as they are loaded, which takes about a second. */
export function startRecorderProcess(load: RecordingLoad): RecorderProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (told += text));
  const acknowledged = collectLines(child.stdio[3] as Readable);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const started = new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    void ended.then((code) => reject(new Error(`The recorder ended with ${code} before it worked: ${told}`)));
  });
  started.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    started,
    ended,
    acknowledged,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    told: () => told,
  };
}

/** The whole lines of a stream; what follows the last of them was never said. */
function collectLines(stream: Readable): ReadonlySet<string> {
  const lines = new Set<string>();
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.add(part);
  });
  return lines;
}
