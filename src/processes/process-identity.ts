import { readFileSync } from 'node:fs';

/**
 * Identifies a process, safe against reuse of its pid.
 *
 * On Linux `<pid>-<start>` with the start in clock ticks since boot, because every restart of a container has pid 1;
 * elsewhere the pid alone.
 *
 * @returns undefined when no such process is alive
 */
export function identifyProcess(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  const start = readStartTicks(pid);
  return start === undefined ? String(pid) : `${pid}-${start}`;
}

/** The identity of this process. */
export function identifyOwnProcess(): string {
  return identifyProcess(process.pid) ?? String(process.pid);
}

/** Whether the process with this identity is still alive; a reused pid does not count. */
export function isAlive(identity: string): boolean {
  return identifyProcess(Number.parseInt(identity, 10)) === identity;
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
 * Field 22 of `/proc/<pid>/stat`. The command name may contain blanks, so counting starts after its closing bracket.
 */
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
