import { readFileSync } from 'node:fs';

/**
 * Names a process so that a later process with the same number is another one.
 *
 * On Linux `<pid>-<start>`, start being clock ticks since boot, because a container gives pid 1 to every restart;
 * elsewhere only the pid is known.
 *
 * @returns undefined when no such process lives.
 */
export function identifyProcess(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  const start = readStartTicks(pid);
  return start === undefined ? String(pid) : `${pid}-${start}`;
}

/** The identity of the process that asks. */
export function identifyOwnProcess(): string {
  return identifyProcess(process.pid) ?? String(process.pid);
}

/** Whether the very process that was given this identity still lives. */
export function isAlive(identity: string): boolean {
  return identifyProcess(Number.parseInt(identity, 10)) === identity;
}

/** Signal 0 only asks; "not permitted" means that the process is there and another user's. */
function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of `/proc/<pid>/stat`. The command name before may hold blanks, so counting starts after its bracket. */
function readStartTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(19);
  } catch {
    return undefined;
  }
}
