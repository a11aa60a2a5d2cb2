import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** How to install what the comparison with `\copy` needs. */
const ADVICE = 'psql was not found, so nothing is compared with \\copy: apt-get install postgresql-client';

/** Runs `\copy` in psql, as a program of its own. */
export interface Psql {
  /** Writes the rows of a table to a file in the binary format. */
  copyOut(connectionString: string, table: string, file: string): Promise<void>;
  /**
   * Reads such a file into a table.
   *
   * @returns milliseconds by psql's `\timing`: from the first byte sent to the acknowledged commit
   */
  copyIn(connectionString: string, table: string, file: string): Promise<number>;
}

/** The psql of PATH or the newest that Debian installs; null, with a hint on standard error, when there is none. */
export async function findPsql(): Promise<Psql | null> {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((it) => join(DEBIAN, it, 'bin'));
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...newestFirst]) {
    const program = join(folder, 'psql');
    if (await isExecutable(program)) return psqlAt(program);
  }
  console.error(ADVICE);
  return null;
}

function psqlAt(program: string): Psql {
  return {
    copyOut: async (url, table, file) => {
      await ask(program, url, [`\\copy (select * from ${table}) to '${file}' (format binary)`]);
    },
    copyIn: async (url, table, file) => {
      const copy = `\\copy ${table} from '${file}' (format binary)`;
      const output = await ask(program, url, ['\\timing on', copy]);
      const millis = Number(/Time: ([\d.]+) ms/.exec(output)?.[1]);
      if (!Number.isFinite(millis)) throw new Error(`psql printed no time: ${output}`);
      return millis;
    },
  };
}

/** Runs commands. The password is passed in the environment, since arguments are visible to every user of the machine. */
async function ask(program: string, connectionString: string, commands: readonly string[]): Promise<string> {
  const url = new URL(connectionString);
  const password = decodeURIComponent(url.password);
  url.password = '';
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url.href];
  const { stdout } = await run(program, [...args, ...commands.flatMap((command) => ['-c', command])], {
    env: { ...process.env, LC_ALL: 'C', ...(password === '' ? {} : { PGPASSWORD: password }) },
  });
  return stdout;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
