import { childOf, parsePromql, unquoted, type PromqlNode } from './promql-tree.ts';
import { labelsOfSeries } from './series-vocabulary.ts';

type Labels = ReadonlySet<string>;

const SET_OPERATORS = ['And', 'Unless'];
/** Functions that keep all labels of their argument. */
const CHOOSING = ['Topk', 'Bottomk', 'LimitK', 'LimitRatio'];

/**
 * The labels that every series of the result has, by the rules of Prometheus for aggregation and vector matching; null
 * for a scalar. Of `a or b` those that both have.
 */
export const yieldedLabels = (expression: string): Labels | null => labelsOf(parsePromql(expression));

function labelsOf(node: PromqlNode): Labels | null {
  switch (node.kind) {
    case 'VectorSelector':
      return new Set(labelsOfSeries(childOf(node, 'Identifier')?.text ?? ''));
    case 'AggregateExpr':
      return ofAggregation(node);
    case 'FunctionCall':
      return ofCall(node);
    case 'BinaryExpr':
      return ofBinary(node);
    case 'NumberDurationLiteral':
    case 'StringLiteral':
      return null;
    default:
      return node.children.map(labelsOf).find((labels) => labels !== null) ?? null;
  }
}

const namesIn = (node: PromqlNode | undefined): readonly string[] =>
  node?.children.filter(({ kind }) => kind === 'LabelName').map(({ text }) => text) ?? [];

const without = (labels: Labels, dropped: readonly string[]): Labels =>
  new Set([...labels].filter((label) => !dropped.includes(label)));

const within = (labels: Labels, kept: readonly string[]): Labels =>
  new Set([...labels].filter((label) => kept.includes(label)));

function ofAggregation(node: PromqlNode): Labels {
  const inner = argumentLabels(childOf(node, 'FunctionCallBody'));
  const operator = childOf(node, 'AggregateOp')?.children[0]?.kind ?? '';
  if (CHOOSING.includes(operator)) return inner;
  const modifier = childOf(node, 'AggregateModifier');
  if (modifier === undefined) return new Set();
  const names = namesIn(childOf(modifier, 'GroupingLabels'));
  return childOf(modifier, 'Without') === undefined ? within(inner, names) : without(inner, names);
}

function argumentLabels(body: PromqlNode | undefined): Labels {
  const labels = body?.children.map(labelsOf).find((found) => found !== null);
  return labels ?? new Set();
}

function ofCall(node: PromqlNode): Labels | null {
  const body = childOf(node, 'FunctionCallBody');
  const name = childOf(node, 'FunctionIdentifier')?.children[0]?.kind ?? '';
  const texts = body?.children.filter(({ kind }) => kind === 'StringLiteral').map(({ text }) => text) ?? [];
  switch (name) {
    case 'Time':
    case 'Scalar':
      return null;
    case 'Vector':
      return new Set();
    case 'Absent':
      return new Set(body === undefined ? [] : equalLabels(body));
    case 'HistogramQuantile':
      return without(argumentLabels(body), ['le']);
    case 'LabelReplace':
      return new Set([...argumentLabels(body), unquoted(texts[0] ?? '""')]);
    default:
      return argumentLabels(body);
  }
}

/** `absent` yields only the labels that its selector names with `=`. */
function equalLabels(node: PromqlNode): readonly string[] {
  const own =
    node.kind === 'UnquotedLabelMatcher' &&
    node.children.some(({ children }) => children[0]?.kind === 'EqlSingle')
      ? namesIn(node)
      : [];
  return [...own, ...node.children.flatMap(equalLabels)];
}

function ofBinary(node: PromqlNode): Labels | null {
  const [left, right] = [node.children.at(0), node.children.at(-1)].map((side) =>
    side === undefined ? null : labelsOf(side),
  );
  if (left == null) return right ?? null;
  if (right == null) return left;
  if (childOf(node, 'Or') !== undefined) return within(left, [...right]);
  if (SET_OPERATORS.some((operator) => childOf(node, operator) !== undefined)) return left;
  const matching = childOf(node, 'MatchingModifierClause');
  if (matching === undefined) return left;
  if (childOf(matching, 'GroupLeft') !== undefined) return left;
  if (childOf(matching, 'GroupRight') !== undefined) return right;
  const names = namesIn(childOf(matching, 'GroupingLabels'));
  return childOf(matching, 'On') === undefined ? without(left, names) : within(left, names);
}
