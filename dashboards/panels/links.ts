import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { DashboardLinkType, type DashboardLink } from '@grafana/grafana-foundation-sdk/dashboard';

/** The uids of the dashboards, which links, alerts and Jaeger contain. */
export const DASHBOARD_UIDS = {
  run: 'barograph-run',
  miner: 'barograph-miner',
  scores: 'barograph-scores',
  pipeline: 'barograph-pipeline',
  recorder: 'barograph-recorder',
} as const;
export type DashboardName = keyof typeof DASHBOARD_UIDS;

/** A link of a cell or a point. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
  readonly targetBlank: boolean;
}

/** Which columns of a row set the variables of the other dashboard; a variable without a column keeps its choice. */
export interface LinkColumns {
  readonly run?: string;
  readonly miner?: string;
  /** Columns with the first and the last millisecond of the time range to open. */
  readonly range?: readonly [from: string, to: string];
}

const fieldOf = (column: string): string => `\${__data.fields.${column}:percentencode}`;

/** To the trace of the row, and in it to its span when the row has one. */
export function traceLink(columns: { readonly trace: string; readonly span?: string }): DataLink {
  const find = columns.span === undefined ? '' : `?uiFind=${fieldOf(columns.span)}`;
  return {
    title: 'Open the trace',
    url: `\${jaeger}/trace/${fieldOf(columns.trace)}${find}`,
    targetBlank: true,
  };
}

/** To another dashboard, with the run and the miner of the row. */
export function dashboardLink(to: DashboardName, title: string, columns: LinkColumns = {}): DataLink {
  const run = columns.run === undefined ? '${run:queryparam}' : `var-run=${fieldOf(columns.run)}`;
  const miner = columns.miner === undefined ? [] : [`var-miner=${fieldOf(columns.miner)}`];
  const range = columns.range && [`from=${fieldOf(columns.range[0])}`, `to=${fieldOf(columns.range[1])}`];
  const parts = ['${validator:queryparam}', run, ...miner, '${jaeger:queryparam}', ...(range ?? [])];
  return { title, url: `/d/${DASHBOARD_UIDS[to]}?${parts.join('&')}`, targetBlank: false };
}

const TOP_LINKS: Readonly<Record<DashboardName, string>> = {
  run: 'Run',
  miner: 'Miner',
  scores: 'Scores',
  pipeline: 'Pipeline',
  recorder: 'Recorder',
};

/** Dashboards that show hours; the others show the runs of months, and would be empty in a range of hours. */
const OF_HOURS: readonly DashboardName[] = ['run', 'pipeline', 'recorder'];

/**
 * The links at the top of a dashboard: to each of the others, with the chosen variables. Not built with the SDK's builder,
 * which would put them into a menu.
 */
export function topLinks(from: DashboardName): Builder<DashboardLink>[] {
  return (Object.keys(TOP_LINKS) as DashboardName[])
    .filter((name) => name !== from)
    .map((name) => ({
      build: () => ({
        title: TOP_LINKS[name],
        type: DashboardLinkType.Link,
        icon: 'dashboard',
        tooltip: `Open the dashboard ${TOP_LINKS[name]} with the same choice`,
        url: `/d/${DASHBOARD_UIDS[name]}`,
        tags: [],
        asDropdown: false,
        targetBlank: false,
        includeVars: true,
        keepTime: OF_HOURS.includes(from) && OF_HOURS.includes(name),
      }),
    }));
}
