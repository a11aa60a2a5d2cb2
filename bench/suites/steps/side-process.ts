import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import type { Answer, Question } from './program.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** After that long without an answer, a process hangs: the benchmark fails instead of waiting forever. */
const ANSWER_LIMIT_MILLIS = 600_000;

/** The processes of the sides, and the folder of their program and output. */
export interface SideProcesses {
  readonly ask: (side: string, question: Question) => Promise<number>;
  readonly close: () => Promise<void>;
}

/**
 * One process per side of a comparison, started on the first request and kept alive, so that it is warm.
 *
 * They run the program as plain JavaScript: the loader of the benchmarks names every closure when it is created, which a
 * built package does not do, and which costs more than some of the measured effects.
 */
export async function openSideProcesses(): Promise<SideProcesses> {
  await mkdir(join(ROOT, '.barograph'), { recursive: true });
  // Below node_modules of this checkout, so that imports resolve, and on a disk like a spool's.
  const folder = await mkdtemp(join(ROOT, '.barograph', 'bench-steps-'));
  const program = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'program.ts')],
    outfile: program,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
  });
  const processes = new Map<string, ChildProcess>();
  const processOf = (side: string): ChildProcess => {
    const known = processes.get(side);
    if (known !== undefined) return known;
    const child = fork(program, [side, join(folder, side.replaceAll(' ', '-'))], {
      execArgv: ['--expose-gc'],
      env: environmentOf(side),
    });
    processes.set(side, child);
    return child;
  };
  return {
    ask: (side, question) => askProcess(processOf(side), question),
    close: async () => {
      await Promise.all([...processes.values()].map(ended));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The environment without variables that would influence the measurement. */
function environmentOf(side: string): NodeJS.ProcessEnv {
  const plain = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
  return { ...Object.fromEntries(plain), ...(side === 'disabled' ? { OTEL_SDK_DISABLED: 'true' } : {}) };
}

async function askProcess(child: ChildProcess, question: Question): Promise<number> {
  const failed = new AbortController();
  const exited = once(child, 'exit', { signal: failed.signal }).then(([code]) => {
    throw new Error(`The process that is measured ended with ${String(code)}.`);
  });
  const answered = once(child, 'message', { signal: failed.signal }) as Promise<[Answer]>;
  const silent = sleep(ANSWER_LIMIT_MILLIS, undefined, { signal: failed.signal }).then(() => {
    throw new Error(`The process that is measured gave no answer in ${ANSWER_LIMIT_MILLIS / 1000} s.`);
  });
  child.send(question);
  try {
    const [answer] = await Promise.race([answered, exited, silent]);
    if (answer.error !== null) throw new Error(answer.error);
    return answer.value;
  } finally {
    failed.abort();
    await Promise.allSettled([exited, answered, silent]);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
