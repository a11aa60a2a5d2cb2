import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = [
  '.ci',
  'bench',
  'dashboards',
  'docs',
  'exporters',
  'python',
  'scripts',
  'sdk',
  'src',
  'test',
];
const SOURCE_NAME = /\.(ts|mjs|py|sql|md|yaml|yml|sh)$/;

const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(folder, name));

const TEXTS = ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs'), ...markdownIn('dashboards/runbooks')]
  .filter((path) => existsSync(join(ROOT, path)))
  .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const);

/** All files and folders of the repository's own folders and its root, by their paths from the root. */
const TREE: readonly string[] = [
  ...readdirSync(ROOT),
  ...FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
      posix.join(folder, path.replaceAll('\\', '/')),
    ),
  ),
];

/** What stands in backticks and can be nothing but a path of this repository; `*` and `**` may stand in it. */
function pathsNamedIn(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code.replace(/\/$/, ''));
  return spans.filter(
    (code) =>
      /^[\w.@*-]+(\/[\w.@*-]+)*$/.test(code) &&
      (FOLDERS.some((folder) => code.startsWith(`${folder}/`)) || SOURCE_NAME.test(code)),
  );
}

/** A path stands in full, or, after one that does, without its first folders: `segment-writer.ts`. */
function isInTree(path: string, tree: readonly string[]): boolean {
  const pattern = path
    .split(/(\*\*\/|\*)/)
    .map((part) => (part === '**/' ? '(.*/)?' : part === '*' ? '[^/]*' : part.replaceAll('.', '\\.')))
    .join('');
  const whole = new RegExp(`^(.*/)?${pattern}$`);
  const fromRoot = new RegExp(`^${pattern}$`);
  const isFull = FOLDERS.some((folder) => path.startsWith(`${folder}/`));
  return tree.some((entry) => (isFull ? fromRoot : whole).test(entry));
}

const stalePaths = (text: string, tree: readonly string[]): readonly string[] =>
  pathsNamedIn(text).filter((path) => !isInTree(path, tree));

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

function anchorsOf(text: string): ReadonlySet<string> {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '');
  return new Set([...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)));
}

/** The relative links of a text at a path that lead to no file, or to no heading of it. */
function brokenLinks(path: string, text: string): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? path : posix.join(dirname(path), file);
    if (!existsSync(join(ROOT, found))) return true;
    const linked = file === '' ? text : anchor === undefined ? '' : readFileSync(join(ROOT, found), 'utf8');
    return anchor !== undefined && !anchorsOf(linked).has(anchor);
  });
}

describe('Markdown texts of the repository', () => {
  it.each(TEXTS)('every path that %s names in backticks exists', (_, text) => {
    expect(stalePaths(text, TREE)).toEqual([]);
  });

  it.each(TEXTS)('every relative link of %s leads to a file and a heading that exist', (path, text) => {
    expect(brokenLinks(path, text)).toEqual([]);
  });

  it('the texts name paths and hold links, so the checks above have something to check', () => {
    const all = TEXTS.map(([, text]) => text).join('\n');
    expect(pathsNamedIn(all).length).toBeGreaterThan(50);
    expect(all.match(/\]\([^()\s]+\)/g)?.length).toBeGreaterThan(50);
  });
});

describe('Checker of the Markdown texts', () => {
  const tree = ['src', 'src/spool', 'src/spool/spool.ts', 'src/spool/frame.ts', 'README.md'];

  it.each(['src/spool/gone.ts', 'gone.ts', 'src/gone', 'src/*/gone.ts', 'spool.sql', 'src/frame.ts'])(
    'the path %s, which no file has, is found',
    (path) => {
      expect(stalePaths(`See \`${path}\` for more.`, tree)).toEqual([path]);
    },
  );

  it.each([
    'src/spool/spool.ts',
    'frame.ts',
    'spool/frame.ts',
    'src/spool/',
    'src/*/spool.ts',
    'src/**/*.ts',
  ])('the path %s, which exists, is not found', (path) => {
    expect(stalePaths(`See \`${path}\` for more.`, tree)).toEqual([]);
  });

  it('code that is no path of the repository, and blocks of code, are not taken for paths', () => {
    const text = 'The `fold` of `text/plain`, `npm test` and `/readyz`.\n```sh\ncat `src/gone.ts`\n```\n';
    expect(stalePaths(text, tree)).toEqual([]);
  });

  it.each(['gone.md', '../src/gone.ts', 'performance.md#no-such-heading', '#no-such-heading'])(
    'the link to %s, which leads nowhere, is found',
    (target) => {
      expect(brokenLinks('docs/scaling.md', `See [here](${target}).`)).toEqual([target]);
    },
  );
});
