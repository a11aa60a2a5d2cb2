import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
// The classic dashboard schema: every Grafana since 10 reads it. The SDK marks it deprecated, since a newer one exists.
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

/** A row of the dashboard with its panels; they fill the 24 columns of the grid row by row. */
export interface Section {
  /** Panel id of the heading; stable, like those of the panels. */
  readonly id: number;
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface DashboardDefinition {
  readonly name: DashboardName;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly VariableName[];
  /** Start of the default time range, such as `now-6h`. */
  readonly from: string;
  readonly refresh: string;
  readonly sections: readonly Section[];
}

/** Builds the dashboard model. */
function buildDashboard(definition: DashboardDefinition): Dashboard {
  const builder = new DashboardBuilder(definition.title)
    .uid(DASHBOARD_UIDS[definition.name])
    .description(definition.description)
    .tags(['barograph'])
    .timezone('utc')
    .time({ from: definition.from, to: 'now' })
    .refresh(definition.refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .links(topLinks(definition.name))
    .variables(definition.variables.map((name) => VARIABLES[name]()));
  for (const { id, title, panels } of definition.sections) {
    builder.withRow(new RowBuilder(title).id(id));
    for (const panel of panels) builder.withPanel(panel);
  }
  return builder.build();
}

/** The JSON file that Grafana is provisioned with. */
export const renderDashboard = (definition: DashboardDefinition): string =>
  `${JSON.stringify(buildDashboard(definition), null, 2)}\n`;
