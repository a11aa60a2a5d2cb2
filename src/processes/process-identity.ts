import { readFileSync, readlinkSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';

/**
 * Identifies a process, safe against reuse of its pid.
 *
 * On Linux `<pid>-<start>` with the start in clock ticks since boot, because every restart of a container has pid 1;
 * elsewhere the pid alone.
 *
 * @returns undefined when no such process is alive; a zombie, which only waits for its parent, is not
 */
export function identifyProcess(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  const stat = readStat(`/proc/${pid}/stat`);
  if (stat === undefined) return String(pid);
  return stat.isEnded ? undefined : `${pid}-${stat.start}`;
}

/** The identity of this process. */
export function identifyOwnProcess(): string {
  return identifyProcess(process.pid) ?? String(process.pid);
}

/** Whether the process with this identity is still alive; a reused pid does not count. */
export function isAlive(identity: string): boolean {
  return identifyProcess(Number.parseInt(identity, 10)) === identity;
}

/**
 * Identifies the thread that calls, because a worker thread may end long before its process: on Linux `<tid>-<start>`,
 * elsewhere `main` or `worker-<threadId>`.
 */
export function identifyOwnThread(): string {
  const nominal = isMainThread ? 'main' : `worker-${threadId}`;
  try {
    const [, tid = ''] = /\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self')) ?? [];
    const stat = readStat(`/proc/${process.pid}/task/${tid}/stat`);
    return stat === undefined ? nominal : `${tid}-${stat.start}`;
  } catch {
    return nominal;
  }
}

/** Whether a thread of a living process is alive; null when that cannot be known, as for workers outside Linux. */
export function isThreadAlive(pid: number, thread: string): boolean | null {
  if (thread === 'main') return true;
  const [, tid, start] = /^(\d+)-(\d+)$/.exec(thread) ?? [];
  if (tid === undefined) return null;
  const stat = readStat(`/proc/${pid}/task/${tid}/stat`);
  return stat !== undefined && !stat.isEnded && stat.start === start;
}

/** Signal 0 only checks for existence; EPERM means that the process exists and belongs to another user. */
function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Fields 3 (state) and 22 (start) of a `stat` file of `/proc`. The command name may contain blanks, so counting starts
 * after its closing bracket.
 */
function readStat(path: string): { readonly isEnded: boolean; readonly start: string } | undefined {
  try {
    const stat = readFileSync(path, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { isEnded: /^[ZX]/i.test(fields[0] ?? ''), start: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
