import type { Measure } from './measure.ts';
import { describeLimit, judge, type Limits } from './ratchet.ts';

/** As many findings as a message shows. */
const SHOWN_FINDINGS = 20;

const TITLE_WIDTH = 52;
const NUMBER_WIDTH = 9;

/** The title of a figure, two values and a remark. */
type Row = readonly [title: string, first: string, second: string, remark?: string];

/** How a table is written: in columns for a terminal, at most 80 characters wide, or in Markdown. */
export type Style = 'columns' | 'markdown';

/** One row for each figure, with its limit. */
export function renderTable(measures: readonly Measure[], limits: Limits, style: Style): string {
  const remarks = { kept: '', improved: 'better', worse: 'WORSE', unlimited: 'NO LIMIT' };
  const rows = measures.map((each): Row => {
    const limit = describeLimit(each.key, limits);
    return [each.title, `${each.value}`, limit, remarks[judge(each, limits)]];
  });
  return render(['measure', 'now', 'limit'], rows, style);
}

/** One row for each figure of two checkouts. */
export function renderComparison(
  before: readonly Measure[],
  after: readonly Measure[],
  style: Style,
): string {
  const valueBefore = new Map(before.map(({ key, value }) => [key, value]));
  const rows = after.map(({ key, title, value }): Row => [
    title,
    `${valueBefore.get(key) ?? '–'}`,
    `${value}`,
  ]);
  return render(['measure', 'before', 'after'], rows, style);
}

function render(head: Row, rows: readonly Row[], style: Style): string {
  if (style === 'markdown') {
    const line = ([title, first, second]: Row) => `| ${title} | ${first} | ${second} |`;
    return [line(head), '|---|---:|---:|', ...rows.map(line)].join('\n');
  }
  const line = ([title, first, second, remark = '']: Row) =>
    `${title.padEnd(TITLE_WIDTH)}${first.padStart(NUMBER_WIDTH)}${second.padStart(NUMBER_WIDTH)} ${remark}`;
  return [head, ...rows].map((row) => line(row).trimEnd()).join('\n');
}

/** What was measured, what is allowed, where it stands and what to do, for every figure that is worse. */
export function describeFailures(measures: readonly Measure[], limits: Limits): readonly string[] {
  return measures.flatMap((each) => {
    const verdict = judge(each, limits);
    if (verdict === 'unlimited')
      return [
        `${each.title} (${each.key}): ${each.value}; scripts/structure/limits.json has no limit for it.`,
      ];
    if (verdict !== 'worse') return [];
    const more = each.findings.length - SHOWN_FINDINGS;
    return [
      [
        `${each.title}: ${each.value}; allowed: ${describeLimit(each.key, limits)}.`,
        ...each.findings.slice(0, SHOWN_FINDINGS).map((finding) => `  ${finding}`),
        ...(more > 0 ? [`  … and ${more} more: npm run structure -- --list ${each.key}`] : []),
        each.advice,
      ].join('\n'),
    ];
  });
}
