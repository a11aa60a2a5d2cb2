import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A node of a parsed expression, with its text. */
export interface PromqlNode {
  readonly kind: string;
  readonly text: string;
  readonly children: readonly PromqlNode[];
}

/** Parses a PromQL expression. @throws Error with the position of the syntax error */
export function parsePromql(expression: string): PromqlNode {
  const tree = parser.parse(expression);
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError)
        throw new Error(`No PromQL from "${expression.slice(from, from + 20)}": ${expression}`);
    },
  });
  return toNode(tree.topNode, expression);
}

/** The node itself and all below it, in the order of the text. */
export const allNodes = (node: PromqlNode): readonly PromqlNode[] => [
  node,
  ...node.children.flatMap(allNodes),
];

export const childOf = (node: PromqlNode, kind: string): PromqlNode | undefined =>
  node.children.find((child) => child.kind === kind);

export const unquoted = (text: string): string => text.slice(1, -1);

function toNode(node: SyntaxNode, expression: string): PromqlNode {
  const children: PromqlNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling)
    children.push(toNode(child, expression));
  return { kind: node.name, text: expression.slice(node.from, node.to), children };
}
