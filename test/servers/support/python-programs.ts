import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A Python with the packages of `.ci/servers/python`; null when there is none. */
export function findPython(): string | null {
  const place = resolve(process.env['BAROGRAPH_PYTHON_VENV'] ?? join(ROOT, '.barograph', 'python'));
  const path = join(place, 'bin', 'python');
  if (existsSync(path)) return path;
  console.log(`skipped: ${path} is not there. ".ci/servers/python" makes it and runs these tests.`);
  return null;
}

/** What a program is started with. */
interface PythonOptions {
  readonly python: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that does what it is told, line by line, and answers each with a line. */
export interface PythonProgram {
  readonly ask: (line: string) => Promise<string>;
  /** Ends its input. @returns what it wrote since; throws what it wrote to stderr when it fails */
  readonly finish: () => Promise<string>;
}

/** Starts a Python program. */
export function startPython({ python, file, args = [], env = {} }: PythonOptions): PythonProgram {
  const child = spawn(python, [join(ROOT, file), ...args], {
    env: { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const lines: AsyncIterator<string> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'close');
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      const next = await lines.next();
      if (next.done === true) throw new Error(`${file} ended: ${errors.join('')}`);
      return next.value;
    },
    finish: async () => {
      child.stdin.end();
      const rest: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next())
        rest.push(next.value);
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`${file} ended with ${code}: ${rest.join('\n')}\n${errors.join('')}`);
      return rest.join('\n');
    },
  };
}
