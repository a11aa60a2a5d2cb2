import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const inFolder = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...inFolder('docs'), ...inFolder('dashboards/runbooks')];

/** Names in backticks that begin with a folder of the repository. */
const PATH = /`((?:src|exporters|dashboards|test|bench|scripts|docs|\.ci|\.github)\/[\w./-]*)`/g;
/** Targets of links that are neither addresses nor places within the page. */
const LINK = /\]\((?!https?:|#)([^)#\s]+)/g;

/** What a page names and the repository does not have. */
function missingIn(page: string, text: string): readonly string[] {
  const paths = [...text.matchAll(PATH)].map(([, path = '']) => path).filter((path) => !has(path));
  const links = [...text.matchAll(LINK)].map(([, path = '']) => path);
  return [...paths, ...links.filter((path) => !has(join(dirname(page), path)))];
}
const has = (path: string): boolean => existsSync(join(ROOT, path));

describe('the pages of the documentation', () => {
  it.each(PAGES)('%s names only files and folders that exist', (page) => {
    expect(missingIn(page, readFileSync(join(ROOT, page), 'utf8'))).toEqual([]);
  });

  it('a page that names what is not there is found by this check', () => {
    const text =
      'see `src/no-such-file.ts`, [there](no-such-page.md), `src/index.ts` and [here](scaling.md#top)';
    expect(missingIn('docs/page.md', text)).toEqual(['src/no-such-file.ts', 'no-such-page.md']);
  });
});
