import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One mention of a metric in an expression. */
export interface Mention {
  readonly metric: string;
  /** Labels that are asked for or grouped by around it. */
  readonly labels: readonly string[];
  /** The functions around it, the inmost first. */
  readonly functions: readonly string[];
  /** The aggregations around it, the inmost first. */
  readonly aggregations: readonly string[];
  /** The window of a range, as it is written; null without one. */
  readonly window: string | null;
}

/** Windows of Grafana stand for durations; the grammar knows only those. */
const WINDOWS: Readonly<Record<string, string>> = { $__rate_interval: '61s', $__range: '62s' };

function parse(expression: string): { readonly text: string; readonly tree: Tree } {
  const text = Object.entries(WINDOWS).reduce(
    (all, [name, value]) => all.replaceAll(name, value),
    expression,
  );
  return { text, tree: parser.parse(text) };
}

/** Reads the growth of a counter, whose first value counts, as its increase; only where all that it is made of is alike. */
export const growthAsIncrease = (expression: string): string =>
  expression.replaceAll(
    /\(\(([^()]+) unless last_over_time\(\1\[5m\] offset ([$\w]+)\)\) or increase\(\1\[\2\]\)\)/g,
    'increase($1[$2])',
  );

/** The parts of an expression that are no PromQL. */
export function syntaxErrors(expression: string): readonly string[] {
  const { text, tree } = parse(expression);
  const errors: string[] = [];
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) errors.push(`at ${from}: ${text.slice(from, from + 20)}`);
    },
  });
  return errors;
}

/** Every mention of a metric in an expression. */
export function mentionsIn(expression: string): readonly Mention[] {
  const { text, tree } = parse(expression);
  const mentions: Mention[] = [];
  tree.iterate({
    enter: ({ name, node }) => {
      if (name === 'VectorSelector') mentions.push(mentionAt(node, text));
    },
  });
  return mentions;
}

const textOf = (node: SyntaxNode | null, text: string): string =>
  node ? text.slice(node.from, node.to) : '';

function labelsWithin(node: SyntaxNode | null, text: string): string[] {
  const labels: string[] = [];
  node?.cursor().iterate((inner) => {
    if (inner.node.from < node.from || inner.node.to > node.to) return false;
    if (inner.name === 'LabelName') labels.push(text.slice(inner.from, inner.to));
    return true;
  });
  return labels;
}

function mentionAt(selector: SyntaxNode, text: string): Mention {
  const labels = labelsWithin(selector.getChild('LabelMatchers'), text);
  const functions: string[] = [];
  const aggregations: string[] = [];
  let window: string | null = null;
  for (let node = selector.parent; node !== null; node = node.parent) {
    if (node.name === 'FunctionCall') functions.push(textOf(node.getChild('FunctionIdentifier'), text));
    if (node.name === 'AggregateExpr') {
      aggregations.push(textOf(node.getChild('AggregateOp'), text));
      labels.push(...labelsWithin(node.getChild('AggregateModifier'), text));
    }
    if (node.name === 'MatrixSelector') window = textOf(node.getChild('DurationExpr'), text);
  }
  const names = new Map(Object.entries(WINDOWS).map(([name, value]) => [value, name]));
  return {
    metric: textOf(selector.getChild('Identifier'), text),
    labels,
    functions,
    aggregations,
    window: window === null ? null : (names.get(window) ?? window),
  };
}
