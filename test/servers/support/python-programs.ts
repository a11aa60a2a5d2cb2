import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { dirname, join, resolve } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A Python with the packages of one of the checks in `.ci/servers`; null when there is none. */
export function findPython(check: 'python' | 'xskillscore' = 'python'): string | null {
  const given = check === 'python' ? process.env['BAROGRAPH_PYTHON_VENV'] : undefined;
  const place = resolve(given ?? join(ROOT, '.barograph', check));
  const path = join(place, 'bin', 'python');
  if (existsSync(path)) return path;
  console.log(`skipped: ${path} is not there. ".ci/servers/${check}" makes it and runs these tests.`);
  return null;
}

/** What a program is started with. */
interface PythonOptions {
  readonly python: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Runs it by `opentelemetry-instrument`. */
  readonly isInstrumented?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that does what it is told, line by line, and answers each with a line. */
export interface PythonProgram {
  readonly ask: (line: string) => Promise<string>;
  /** Ends its input. @returns what it wrote since; throws what it wrote to stderr when it fails */
  readonly finish: () => Promise<string>;
}

/** Starts a Python program. */
export function startPython(options: PythonOptions): PythonProgram {
  const { python, file, args = [], env = {}, isInstrumented = false } = options;
  const runner = isInstrumented ? [join(dirname(python), 'opentelemetry-instrument'), python] : [python];
  const [command = python, ...rest] = [...runner, join(ROOT, file), ...args];
  const child = spawn(command, rest, {
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
      const left: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next())
        left.push(next.value);
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`${file} ended with ${code}: ${left.join('\n')}\n${errors.join('')}`);
      return left.join('\n');
    },
  };
}
