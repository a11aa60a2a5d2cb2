import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Miner } from '#pipeline/miners/index';

const PROGRAM = join(import.meta.dirname, 'fiber_miner.py');
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' };

/** A miner of Python that runs. */
export interface PythonMiner {
  readonly miner: Miner;
  /** Loses all keys, as a crash does. */
  readonly forgetKeys: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a miner at a port that the kernel chooses. Its hotkey is made of its UID, unless the options say otherwise. */
export async function startPythonMiner(
  python: string,
  uid: number,
  options: readonly string[] = [],
): Promise<PythonMiner> {
  const seed = uid.toString(16).padStart(2, '0').repeat(32);
  const child: ChildProcess = spawn(python, [PROGRAM, '0', '--seed', seed, ...options], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  if (child.stdout === null) throw new Error('the miner has no output');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [unknown];
  const [, port, hotkey] = /^ready (\d+) (\w+)$/.exec(String(line)) ?? [];
  if (port === undefined || hotkey === undefined) throw new Error(`the miner ended with ${String(line)}`);
  const scheme = options.includes('--tls') ? 'https' : 'http';
  return {
    miner: { uid, hotkey, baseUrl: `${scheme}://127.0.0.1:${port}` },
    forgetKeys: () => void child.kill('SIGUSR1'),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const CERTIFICATE = join(import.meta.dirname, '../programs/make_certificate.py');

/** Makes a certificate that signs itself, as miners have it. @returns the options that serve with it */
export function selfSigned(python: string, folder: string): readonly string[] {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  execFileSync(python, [CERTIFICATE, certificate, key], { env: ENVIRONMENT });
  return ['--tls', certificate, key];
}
