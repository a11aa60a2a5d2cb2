import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';

/** Milliseconds per tick of /proc; Linux reports 100 ticks a second on every machine. */
const TICK_MILLIS = 10;

/** CPU time of the connections of a database, by the name of the program that holds them. */
export interface BackendCpu {
  /** Samples the open connections; one that closes later counts with its value at the last sample. */
  readonly look: () => Promise<void>;
  /** Milliseconds since the first sample, by `application_name`; empty where there is no /proc. */
  readonly millis: () => Readonly<Record<string, number>>;
}

/** Follows the connections of the database of a server on this machine. */
export function watchBackends(pool: Pool): BackendCpu {
  const seen = new Map<number, { readonly name: string; readonly first: number; last: number }>();
  let isFirstLook = true;
  return {
    look: async () => {
      const { rows } = await pool.query<{ pid: number; name: string }>(
        `select pid, application_name as name from pg_stat_activity where datname = current_database()`,
      );
      for (const { pid, name } of rows) {
        const millis = await cpuMillis(pid);
        if (millis === null) continue;
        const known = seen.get(pid);
        // A connection opened later starts at 0.
        if (known === undefined) seen.set(pid, { name, first: isFirstLook ? millis : 0, last: millis });
        else known.last = millis;
      }
      isFirstLook = false;
    },
    millis: () => {
      const sums: Record<string, number> = {};
      for (const { name, first, last } of seen.values()) sums[name] = (sums[name] ?? 0) + last - first;
      return sums;
    },
  };
}

/** User and system time of a process; null when it has ended, or the system reports none. */
async function cpuMillis(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MILLIS;
}
