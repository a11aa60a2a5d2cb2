import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** An expression of PromQL in a panel. */
export interface PanelExpression {
  readonly dashboard: string;
  readonly panel: string;
  readonly expression: string;
}

/** All expressions of the dashboards, and the number of panels that have them. */
export interface PanelExpressions {
  readonly dashboards: number;
  readonly panels: number;
  readonly expressions: readonly PanelExpression[];
}

const target = z.object({ expr: z.string().optional() });
const panel = z.object({ title: z.string().default(''), targets: z.array(target).default([]) });
/** A row that is folded holds its panels itself. */
const entry = panel.extend({ panels: z.array(panel).default([]) });
const dashboard = z.object({ panels: z.array(entry).default([]) });

/** Reads the generated dashboards of a folder; there may be none. */
export function readPanelExpressions(folder: string): PanelExpressions {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const perFile = files.map((name) => {
    const parsed = dashboard.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    return parsed.panels.flatMap((it) => [it, ...it.panels]).map((it) => expressionsOf(name, it));
  });
  const panels = perFile.flat().filter((expressions) => expressions.length > 0);
  return { dashboards: files.length, panels: panels.length, expressions: panels.flat() };
}

const expressionsOf = (
  file: string,
  { title, targets }: z.output<typeof panel>,
): readonly PanelExpression[] =>
  targets.flatMap(({ expr }) =>
    expr === undefined ? [] : [{ dashboard: file, panel: title, expression: expr }],
  );

/**
 * Fills in what Grafana fills in before it asks: `$name`, `${name}` and `${name:format}`.
 *
 * @throws Error for a variable that has no value
 */
export function interpolate(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replaceAll(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (text, braced?: string, plain?: string) => {
    const value = values[braced ?? plain ?? ''];
    if (value === undefined) throw new Error(`${text} has no value in: ${expression}`);
    return value;
  });
}
