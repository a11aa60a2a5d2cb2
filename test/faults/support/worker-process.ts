import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Recovery } from '#pipeline';
import type { Miner } from '#pipeline/miners/index';
import type { DemonstrationWorld } from '#world';

/** What a worker in a process of its own works on; it travels as JSON. */
export interface Work {
  readonly databaseUrl: string;
  /** What the process keeps on disk; the same for every process that takes its place. */
  readonly dataDirectory: string;
  readonly validatorHotkey: string;
  readonly world: DemonstrationWorld;
  /** T0. */
  readonly initTime: string;
  readonly miners: readonly Miner[];
  readonly delayFactor: number;
  readonly recovery: Recovery;
}

/** A worker in a process of its own. */
export interface WorkerProcess {
  /** Resolves when it works; rejects with what it said when it ended before. */
  readonly started: Promise<void>;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it as a crash does: at once, without a word. */
  readonly kill: () => Promise<unknown>;
  /** What it said on standard error so far. */
  readonly output: () => string;
}

const PROGRAM = join(import.meta.dirname, 'working-process.ts');

/** Starts a worker; the sources are compiled as they are loaded, which takes about a second. */
export function startWorkerProcess(work: Work): WorkerProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code, signal) => {
      if (signal !== null) output += `Ended by ${signal}.`;
      resolve(code);
    });
  });
  const started = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    void ended.then((code) => reject(new Error(`The worker ended with ${code} before it worked: ${output}`)));
  });
  started.catch(() => undefined);
  return {
    started,
    ended,
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
    output: () => output,
  };
}
