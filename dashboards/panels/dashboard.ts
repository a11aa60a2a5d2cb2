import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
// The classic form of dashboards, for every Grafana since 10 reads it; the SDK calls it old since there is a newer one.
/* eslint-disable @typescript-eslint/no-deprecated */
import {
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHBOARD_UIDS, topLinks, type DashboardName } from './links.ts';
import { VARIABLES, type VariableName } from './variables.ts';

/** Panels under one heading; they fill the 24 columns of the grid row by row. */
export interface Section {
  /** Of the heading; stays for good, as those of the panels. */
  readonly id: number;
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface DashboardDefinition {
  readonly name: DashboardName;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly VariableName[];
  /** The time range at first sight, such as `now-6h`. */
  readonly from: string;
  readonly refresh: string;
  readonly sections: readonly Section[];
}

/** Puts a dashboard together. */
function buildDashboard(words: DashboardDefinition): Dashboard {
  const builder = new DashboardBuilder(words.title)
    .uid(DASHBOARD_UIDS[words.name])
    .description(words.description)
    .tags(['barograph'])
    .timezone('utc')
    .time({ from: words.from, to: 'now' })
    .refresh(words.refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .links(topLinks(words.name))
    .variables(words.variables.map((name) => VARIABLES[name]()));
  for (const { id, title, panels } of words.sections) {
    builder.withRow(new RowBuilder(title).id(id));
    for (const panel of panels) builder.withPanel(panel);
  }
  return builder.build();
}

/** The text of the file that Grafana reads. */
export const renderDashboard = (words: DashboardDefinition): string =>
  `${JSON.stringify(buildDashboard(words), null, 2)}\n`;
