import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Measured } from './measured-work.ts';

/** What a recording process is told; it travels as JSON. */
export interface RecordingLoad {
  readonly databaseUrl: string;
  /** The same for every process that takes its place. */
  readonly dataDirectory: string;
  readonly seed: number;
  /** Rounds of work at a time, from the start until the process ends. */
  readonly inFlight: number;
  /** Rounds at a time of what it is told to do. */
  readonly commandedInFlight: number;
  /** How long a step takes at most, ms. */
  readonly stepMillis: number;
  readonly spoolLimitMib: number;
}

/** A recording process. */
export interface RecorderProcess {
  readonly pid: number;
  /** Resolves with where its metrics are when it works; rejects with what it said when it ended before. */
  readonly started: Promise<string>;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ids of the spans that it acknowledged so far; all of them once it has ended. */
  readonly acknowledged: ReadonlySet<string>;
  /** Lets it do so many rounds of work, and gives what it measured. */
  readonly work: (rounds: number) => Promise<CommandedWork>;
  /** Ends its input: it ends in good order, unless it works by itself. */
  readonly endInput: () => void;
  /** The last line that it said on standard output. */
  readonly lastWord: () => string;
  readonly kill: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>;
  /** What it said on standard error so far. */
  readonly output: () => string;
}

/** What the process says after work that it was told to do. */
export interface CommandedWork extends Measured {
  readonly queued: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly retries: number;
}

const PROGRAM = join(import.meta.dirname, 'recording-process.ts');

/** Starts a recording process; the sources are compiled as they are loaded, which takes about a second. */
export function startRecorderProcess(load: RecordingLoad): RecorderProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const acknowledged = collectLines(child.stdio[3] as Readable);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const fail = (): Promise<never> =>
    ended.then((code) => Promise.reject(new Error(`The recorder ended with ${code}: ${output}`)));
  const lines = createInterface({ input: child.stdout });
  let lastWord = '';
  lines.on('line', (line) => (lastWord = line));
  const nextLine = (): Promise<string> =>
    Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), fail()]);
  const started = nextLine().then((line) => line.replace(/^started /, ''));
  started.catch(() => undefined);
  // It may have been killed while it was told something.
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    started,
    ended,
    acknowledged,
    work: async (rounds) => {
      const answer = nextLine();
      child.stdin.write(`${rounds}\n`);
      return JSON.parse(await answer) as CommandedWork;
    },
    endInput: () => child.stdin.end(),
    lastWord: () => lastWord,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    output: () => output,
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
