import ts from 'typescript';
import type { Measure } from './measure.ts';
import type { ParsedFile } from './source-tree.ts';

/** The lengths of files and functions, the share of comments, and what strictness forbids. */
export function distributions(files: readonly ParsedFile[]): readonly Measure[] {
  const fileLines = files.map(({ path, lines }) => ({ name: path, lines }));
  const functionLines = files.flatMap(functionsOf);
  return [
    ...quantiles('file', fileLines, 'Split the file where one idea ends.'),
    ...quantiles('function', functionLines, 'Name a part of the function and call it.'),
    {
      key: 'commentShare',
      title: 'lines with a comment, per cent of all',
      value: commentShare(files),
      findings: [],
      advice: 'Too few: state the reasons and dangers. Too many: let names and tests state the rest.',
    },
    countNodes(files, 'anyTypes', 'uses of the type any', (node) => node.kind === ts.SyntaxKind.AnyKeyword),
    countNodes(files, 'nonNullAssertions', 'non-null assertions (!)', ts.isNonNullExpression),
  ];
}

interface Sized {
  readonly name: string;
  readonly lines: number;
}

function quantiles(kind: 'file' | 'function', sized: readonly Sized[], advice: string): readonly Measure[] {
  const sorted = sized.toSorted((a, b) => a.lines - b.lines);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const longest = sorted.slice(-20).reverse();
  const findings = longest.map(({ name, lines }) => `${name}: ${lines} lines`);
  return [
    { key: `${kind}Median`, title: `lines of a ${kind}: median`, value: at(0.5)?.lines ?? 0 },
    { key: `${kind}P90`, title: `lines of a ${kind}: 90 in 100 have at most`, value: at(0.9)?.lines ?? 0 },
    { key: `${kind}Max`, title: `lines of a ${kind}: longest`, value: at(1)?.lines ?? 0 },
  ].map((each) => ({ ...each, findings, advice }));
}

/** Functions that have a name: declarations, methods, and what a constant or a property holds. Callbacks are none. */
function functionsOf({ path, text, nodes }: ParsedFile): readonly Sized[] {
  const { whole } = commentLines({ text, nodes });
  const isCounted = text.split('\n').map((line, index) => line.trim() !== '' && !whole.has(index));
  return nodes.flatMap((node) => {
    const name = nameOf(node);
    if (name === null) return [];
    const [first, last] = [lineOf(node.getStart(), node), lineOf(node.end, node)];
    const lines = isCounted.slice(first, last + 1).filter(Boolean).length;
    return [{ name: `${path}:${first + 1} ${name}`, lines }];
  });
}

/** The name of a function with a body, or null for everything else. */
function nameOf(node: ts.Node): string | null {
  if (ts.isConstructorDeclaration(node)) return node.body === undefined ? null : 'constructor';
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) {
    const holder = node.parent;
    const isNamed = ts.isVariableDeclaration(holder) || ts.isPropertyAssignment(holder);
    return isNamed || ts.isPropertyDeclaration(holder) ? holder.name.getText() : null;
  }
  const isFunction = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node);
  return isFunction && node.body !== undefined ? (node.name?.getText() ?? null) : null;
}

const lineOf = (position: number, node: ts.Node): number =>
  node.getSourceFile().getLineAndCharacterOfPosition(position).line;

function commentShare(files: readonly ParsedFile[]): number {
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  const commented = files.reduce((sum, file) => sum + commentLines(file).any.size, 0);
  return lines === 0 ? 0 : Math.round((1000 * commented) / lines) / 10;
}

/** The numbers of the lines that bear a comment, and of those that bear nothing else. */
function commentLines({ text, nodes }: Pick<ParsedFile, 'text' | 'nodes'>): {
  readonly any: ReadonlySet<number>;
  readonly whole: ReadonlySet<number>;
} {
  const [any, whole] = [new Set<number>(), new Set<number>()];
  const starts = lineStarts(text);
  for (const [start, end] of commentRanges(text, nodes)) {
    const [first, last] = [indexOfLine(starts, start), indexOfLine(starts, end)];
    for (let line = first; line <= last; line++) any.add(line);
    const isAlone = text.slice(starts[first], start).trim() === '';
    for (let line = isAlone ? first : first + 1; line <= last; line++) whole.add(line);
  }
  return { any, whole };
}

const lineStarts = (text: string): readonly number[] => [
  0,
  ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1),
];

function indexOfLine(starts: readonly number[], position: number): number {
  const next = starts.findIndex((start) => start > position);
  return next === -1 ? starts.length - 1 : next - 1;
}

/** Comments from start to end; what looks like one inside of a literal is none. */
function commentRanges(text: string, nodes: readonly ts.Node[]): readonly (readonly [number, number])[] {
  const literals = nodes
    .filter(
      (node) =>
        ts.isStringLiteralLike(node) ||
        ts.isTemplateLiteralToken(node) ||
        ts.isRegularExpressionLiteral(node),
    )
    .map((node) => [node.getStart(), node.end] as const)
    .sort((a, b) => a[0] - b[0]);
  const ranges: (readonly [number, number])[] = [];
  let from = 0;
  for (const [start, end] of [...literals, [text.length, text.length] as const]) {
    // A comment may hold what looks like the start of a literal, but no node lies in a comment.
    for (const { index, 0: comment } of text.slice(from, start).matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g))
      ranges.push([from + index, from + index + comment.length]);
    from = end;
  }
  return ranges;
}

function countNodes(
  files: readonly ParsedFile[],
  key: string,
  title: string,
  isCounted: (node: ts.Node) => boolean,
): Measure {
  const findings = files.flatMap(({ path, nodes }) =>
    nodes.filter(isCounted).map((node) => `${path}:${lineOf(node.getStart(), node) + 1}`),
  );
  return { key, title, value: findings.length, findings, advice: 'Parse to a type, or narrow with a check.' };
}
