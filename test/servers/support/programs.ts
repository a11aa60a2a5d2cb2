import { spawnSync } from 'node:child_process';

/** Whether a program of Prometheus is on PATH. */
export const hasProgram = (name: 'prometheus' | 'promtool'): boolean =>
  spawnSync(name, ['--version']).status === 0;

/** Prints once why a part is skipped, and how to enable it. */
export function tellSkipped(part: string, program: string): void {
  console.log(
    `skipped: ${part} needs ${program}, which is not on PATH. Debian and Ubuntu have it: apt-get install prometheus.`,
  );
}

/** Runs promtool. @returns its exit code and all that it wrote */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}
