import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const KEPT_LINES = 40;
const INTERVAL_MILLIS = 50;
const PATIENCE_MILLIS = 60_000;

/** A server in a process of its own. */
export interface RunningServer {
  /** Resolves when it has ended: at once with SIGKILL, in good order with SIGTERM. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** What is started, and how one knows that it is ready. */
export interface ServerToStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers with 200 when the server takes work. */
  readonly healthUrl: string;
}

/** Starts a server from the root of the repository, with its environment and PATH alone. @throws when it ends instead */
export async function startServer({ program, args, env, healthUrl }: ServerToStart): Promise<RunningServer> {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      lines.push(...chunk.toString().split('\n'));
      lines.splice(0, lines.length - KEPT_LINES);
    });
  }
  const ended = once(child, 'exit');
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) return true;
      const answer = await fetch(healthUrl).catch(() => null);
      await answer?.body?.cancel();
      return answer?.ok === true;
    }, `${program} is ready`);
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
  } catch (error) {
    await stop('SIGKILL');
    throw new Error(`${program} did not start; its last words:\n${lines.join('\n')}`, { cause: error });
  }
  return { stop };
}

/** Polls a condition. @throws when it does not hold within a minute, or the time given, naming the condition */
export async function eventually(
  isSo: () => Promise<boolean>,
  what: string,
  patienceMillis = PATIENCE_MILLIS,
): Promise<void> {
  const until = performance.now() + patienceMillis;
  while (!(await isSo())) {
    if (performance.now() > until)
      throw new Error(`waited for ${patienceMillis / 1000} s, and it is not so that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MILLIS));
  }
}
