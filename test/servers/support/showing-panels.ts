import type { Pool } from 'pg';
import { PROM_TARGETS, SQL_TARGETS } from '#scripts/dashboards/generated';
import { interpolatePromql, interpolateSql, type DashboardChoice } from '#scripts/dashboards/interpolate';
import { askAsReader } from '#scripts/dashboards/reader';
import type { PrometheusServer } from './prometheus-server.ts';

/** A row or a series of a panel: columns, or labels and the value. */
export interface Shown {
  /** The query as it was asked. */
  readonly query: string;
  readonly row: Readonly<Record<string, unknown>>;
  /** All of the row, as one text to search in. */
  readonly text: string;
}

/** What is looked for: a panel shows it when it has something of each kind. */
export type Culprits = readonly ((shown: Shown) => boolean)[];

export interface PanelSearch {
  readonly pool: Pool;
  readonly prometheus: PrometheusServer;
  readonly choice: DashboardChoice;
  readonly culprits: Culprits;
}

/** Asks every query of every dashboard now. @returns the panels that show the culprits, as `dashboard › panel` */
export async function panelsShowing(search: PanelSearch): Promise<readonly string[]> {
  const { pool, prometheus, choice, culprits } = search;
  const found = new Set<string>();
  const note = (title: string, answer: readonly Shown[]): void => {
    if (culprits.every((isCulprit) => answer.some(isCulprit))) found.add(title);
  };
  for (const { dashboard, panel, target } of SQL_TARGETS) {
    const query = interpolateSql(target.rawSql, choice);
    const { rows } = await askAsReader(pool, query);
    note(titleOf(dashboard.title, panel.title), rows.map(toShown(query)));
  }
  for (const { dashboard, panel, target } of PROM_TARGETS) {
    const query = interpolatePromql(target.expr, choice.variables);
    const series = await prometheus.query(query);
    const rows = series.map(({ labels, values }) => ({ ...labels, value: values[0] }));
    note(titleOf(dashboard.title, panel.title), rows.map(toShown(query)));
  }
  return [...found];
}

const toShown =
  (query: string) =>
  (row: Shown['row']): Shown => ({ query, row, text: JSON.stringify(row) });

const titleOf = (dashboard: string, panel: string): string =>
  `${dashboard.replace('Barograph · ', '')} › ${panel}`;
