import { readFileSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';

import { isAlive, isThreadAlive } from './process-identity.ts';

/** A holder in another pid namespace or of another boot counts as dead when its heartbeat was not seen to change for so long. */
export const FOREIGN_SILENCE_MILLIS = 120_000;
/** The same for a thread of this machine that cannot be looked up. */
const THREAD_SILENCE_MILLIS = 10_000;
/** How much silence one look can prove: an observer that was frozen has not listened meanwhile. */
const MAX_LOOK_MILLIS = 20_000;

/**
 * What one observer has seen of the heartbeats of others. Silence is measured by the observer's own monotonic clock, between
 * looks that found the same file: the wall clocks of two machines, or of one before and after a step, cannot be compared.
 */
export class LockWatch {
  readonly #now: () => number;
  readonly #foreignMillis: number;
  readonly #seen = new Map<string, { readonly beat: string; readonly lookedAt: number; silent: number }>();

  constructor(now: () => number = () => performance.now(), foreignMillis = FOREIGN_SILENCE_MILLIS) {
    this.#now = now;
    this.#foreignMillis = foreignMillis;
  }

  /** Whether a holder is dead: at once where it can be looked up, else after the silence. */
  async isDead(path: string, token: string): Promise<boolean> {
    return (await this.judge(path, token)) === 'dead';
  }

  /** What is known of a holder: `unknown` when it cannot be looked up, and was not silent for long enough. */
  async judge(path: string, token: string): Promise<'living' | 'dead' | 'unknown'> {
    const [identity = '', , place = ownPlace(), thread = 'main'] = token.split(' ');
    const listen = async (millis: number): Promise<'dead' | 'unknown'> =>
      (await this.#listen(path, token)) >= millis ? 'dead' : 'unknown';
    if (place !== ownPlace() && place !== ownFormerPlace()) return listen(this.#foreignMillis);
    if (!isAlive(identity)) return 'dead';
    const isThread = isThreadAlive(Number.parseInt(identity, 10), thread);
    if (isThread === null) return listen(THREAD_SILENCE_MILLIS);
    return isThread ? 'living' : 'dead';
  }

  /** How long the heartbeat has not changed, as far as this observer has seen, ms. */
  async #listen(path: string, token: string): Promise<number> {
    const file = await stat(path, { bigint: true }).catch(() => null);
    if (file === null) return 0;
    const beat = `${token} ${file.mtimeNs} ${file.ctimeNs}`;
    const lookedAt = this.#now();
    const last = this.#seen.get(path);
    const isSame = last?.beat === beat;
    const silent = isSame ? last.silent + Math.min(lookedAt - last.lookedAt, MAX_LOOK_MILLIS) : 0;
    this.#seen.set(path, { beat, lookedAt, silent });
    return silent;
  }
}

/** The boot and the pid namespace, within which a pid is unique: every container has its own pids. */
export function ownPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** The place as versions before named it, by the host. */
function ownFormerPlace(): string {
  return `${hostname()}/${ownPlace().split('/').at(-1) ?? ''}`;
}
