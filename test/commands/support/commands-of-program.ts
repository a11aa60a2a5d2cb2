import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { invoke, type Invocation } from './invoke.ts';

const SOURCE = join(import.meta.dirname, '..', '..', '..', 'src');

/** Every command of the program, by its source: a new one is tested without being named by a test. */
async function commandsOfProgram(): Promise<ReadonlyMap<string, () => Command>> {
  const text = readFileSync(join(SOURCE, 'cli.ts'), 'utf8');
  const imports = [...text.matchAll(/import \{ (\w+Command) \} from '(\.\/commands\/[^']+)'/g)];
  const commands = new Map<string, () => Command>();
  for (const [, name = '', path = ''] of imports) {
    const module = (await import(join(SOURCE, path))) as Readonly<Record<string, () => Command>>;
    const make = module[name];
    if (make === undefined) throw new Error(`${path} has no ${name}`);
    for (const line of linesBelow(make())) commands.set(line, make);
  }
  return commands;
}

/** `dead-letters list` for a command below another. */
function linesBelow(command: Command): readonly string[] {
  if (command.commands.length === 0) return [command.name()];
  return command.commands.flatMap((inner) => linesBelow(inner).map((line) => `${command.name()} ${line}`));
}

/** By the line that a person types for each: `explain`, `dead-letters list`. */
export const COMMANDS = await commandsOfProgram();

/** Runs what a person types, `explain --run 1`, with an environment. */
export function type(text: string, environment: Readonly<Record<string, string>>): Promise<Invocation> {
  const line = [...COMMANDS.keys()].find((name) => text === name || text.startsWith(`${name} `));
  const make = line === undefined ? undefined : COMMANDS.get(line);
  if (make === undefined) throw new Error(`no command: ${text}`);
  return invoke(make(), text.split(' ').slice(1), environment);
}
