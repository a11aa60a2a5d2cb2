import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Measure } from './structure/measure.ts';
import { measure } from './structure/measures.ts';
import { judge, tighten, type Limits } from './structure/ratchet.ts';
import { describeFailures, renderComparison, renderTable } from './structure/report.ts';
import { readSourceTree } from './structure/source-tree.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The ratchet of the source tree: its figures may get better, never worse.
 *
 * - `--update` stores better figures as the new limits, and refuses while one is worse.
 * - `--root DIR` measures another checkout against the limits of this one.
 * - `--limits FILE` holds it to other limits.
 * - `--list KEY` lists all that one figure counts, or the keys when there is no such figure.
 * - `--compare DIR` only sets that checkout (before) beside the measured one (after).
 * - `--markdown` writes the table in Markdown.
 */
function main(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      root: { type: 'string', default: ROOT },
      limits: { type: 'string', default: join(ROOT, 'scripts', 'structure', 'limits.json') },
      compare: { type: 'string' },
      list: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
    },
  });
  const measures = measure(readSourceTree(resolve(values.root)));
  const style = values.markdown ? 'markdown' : 'columns';
  if (values.list !== undefined) {
    list(measures, values.list);
  } else if (values.compare !== undefined) {
    const before = measure(readSourceTree(resolve(values.compare)));
    console.log(renderComparison(before, measures, style));
  } else {
    const limits = JSON.parse(readFileSync(values.limits, 'utf8')) as Limits;
    console.log(renderTable(measures, limits, style));
    if (values.update) update(measures, limits, values.limits);
    else check(measures, limits);
  }
}

/** Fails on figures that are worse than their limits. */
function check(measures: readonly Measure[], limits: Limits): void {
  const failures = describeFailures(measures, limits);
  if (failures.length > 0) {
    console.error(`\n${failures.join('\n\n')}`);
    console.error('\nA limit that has to rise is edited in limits.json, with the reason in the commit.');
    process.exitCode = 1;
  } else if (measures.some((each) => judge(each, limits) === 'improved')) {
    console.log('\nBetter than the limits: npm run structure -- --update stores it.');
  }
}

/** Stores better figures and new ones, unless one is worse. */
function update(measures: readonly Measure[], limits: Limits, path: string): void {
  const worse = measures.filter((each) => judge(each, limits) === 'worse');
  if (worse.length === 0) {
    writeFileSync(path, `${JSON.stringify(tighten(measures, limits), null, 2)}\n`);
    return;
  }
  console.error(`\n${describeFailures(worse, limits).join('\n\n')}`);
  console.error('\nNothing was stored: --update takes better figures only.');
  process.exitCode = 1;
}

function list(measures: readonly Measure[], key: string): void {
  const found = measures.find((each) => each.key === key);
  console.log((found?.findings ?? measures.map((each) => each.key)).join('\n'));
}

main(process.argv.slice(2));
