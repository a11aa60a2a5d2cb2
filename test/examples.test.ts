import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(folder, name));

const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...markdownIn('docs'),
  ...markdownIn('dashboards/runbooks'),
].map((path) => [path, read(path)] as const);

const FENCE = /^ *```\w*\n([^]*?)^ *```/gm;

const blocksIn = (text: string): readonly string[] =>
  [...text.matchAll(FENCE)].map(([, block = '']) => block);
/** What stands in backticks between the blocks; it may go on in the next line. */
const inlineIn = (text: string): readonly string[] =>
  [...text.replaceAll(FENCE, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Tables and views whose rows belong to a validator. */
const OF_VALIDATORS = new Set(
  [
    ...read('src/database/schema.sql').matchAll(
      /^create (?:table|view) (\w+) [^;]*?\bvalidator_(?:id|hotkey)\b/gm,
    ),
  ].map(([, name = '']) => name),
);

/** Statements that read such rows, wherever they begin in the code. */
const statementsIn = (text: string): readonly string[] =>
  [...blocksIn(text), ...inlineIn(text)]
    .flatMap((code) => code.split(/;|\n\n/))
    .flatMap((code) => /\bselect\b[^]*/.exec(code.replaceAll(/--.*$/gm, ''))?.[0] ?? [])
    .filter((sql) =>
      [...sql.matchAll(/\b(?:from|join) (\w+)/g)].some(([, name = '']) => OF_VALIDATORS.has(name)),
    );

/** All columns of all runs show the validator by themselves. */
const isWhole = (sql: string): boolean => /^select \* from/.test(sql) && !/\brun_id\b/.test(sql);

const namelessStatements = (text: string): readonly string[] =>
  statementsIn(text).filter((sql) => !isWhole(sql) && !/\bvalidator(s|_id|_hotkey)\b/.test(sql));

/** Commands that are about a run or a process; a line that ends with a backslash goes on. */
const commandsIn = (text: string): readonly string[] =>
  [...blocksIn(text).flatMap((block) => block.replaceAll('\\\n', ' ').split('\n')), ...inlineIn(text)].filter(
    (line) => /\bbarograph [^]*--(run|miner|instance)\b/.test(line),
  );

const namelessCommands = (text: string): readonly string[] =>
  commandsIn(text).filter((line) => !line.includes('--validator'));

describe('Examples of the documents and runbooks', () => {
  it('there are examples to check', () => {
    expect(OF_VALIDATORS.size).toBeGreaterThan(25);
    expect(TEXTS.flatMap(([, text]) => statementsIn(text)).length).toBeGreaterThan(45);
    expect(TEXTS.flatMap(([, text]) => commandsIn(text)).length).toBeGreaterThan(12);
  });

  it.each(TEXTS)('every statement of %s names the validator of the rows that it reads', (_, text) => {
    expect(namelessStatements(text)).toEqual([]);
  });

  it.each(TEXTS)(
    'every command of %s that names a run, a miner or a process names its validator',
    (_, text) => {
      expect(namelessCommands(text)).toEqual([]);
    },
  );

  it.each([
    ['```sql\nselect * from stuck_steps where run_id = 1;\nselect * from stuck_steps;\n```', 1],
    ['```sql\nselect step_name from stuck_steps;\n\nselect 1 from pg_stat_activity;\n```', 1],
    ['`select count(*) from missing_scores`, `select * from run_progress` and `stuck_steps`', 1],
    ['```sql\nselect step_name from stuck_steps where (validator_id, run_id) = (1, 1);\n```', 0],
    ['```sh\nnpm start   # then, in SQL: select run_id from run_completeness;\n```', 1],
    ['`barograph explain --run 1\n--miner 2` and `barograph explain --validator 1 --run 1 --miner 2`', 1],
    ['```sh\nbarograph rebuild --run 1\nbarograph run --miners 8\nbarograph sweep --instance x\n```', 2],
    ['```sh\nbarograph rebuild \\\n  --run 1 --validator 1\n```', 0],
  ])('in %j the nameless examples are found', (text, count) => {
    expect([...namelessStatements(text), ...namelessCommands(text)]).toHaveLength(count);
  });
});
