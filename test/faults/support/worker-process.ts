import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Recovery } from '#pipeline';
import type { Miner } from '#pipeline/miners/index';
import type { DemonstrationWorld } from '#world';

/** The work of a worker in a child process; passed as JSON. */
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

/** A worker in a child process. */
export interface WorkerProcess {
  /** Resolves when it works; rejects with its standard error if it ends before. */
  readonly started: Promise<void>;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Kills it as a crash does: at once, without a shutdown. */
  readonly kill: () => Promise<unknown>;
  /** Its standard error so far. */
  readonly stderr: () => string;
}

const PROGRAM = join(import.meta.dirname, 'working-process.ts');

/** Starts a worker; the sources are compiled as they are loaded, which takes about a second. */
export function startWorkerProcess(work: Work): WorkerProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code, signal) => {
      if (signal !== null) stderr += `Ended by ${signal}.`;
      resolve(code);
    });
  });
  const started = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    void ended.then((code) => reject(new Error(`The worker ended with ${code} before it worked: ${stderr}`)));
  });
  started.catch(() => undefined);
  return {
    started,
    ended,
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
    stderr: () => stderr,
  };
}
