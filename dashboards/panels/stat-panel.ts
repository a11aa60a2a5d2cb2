import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorModeId, type Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { missingMapping } from './colours.ts';
import { DATASOURCES } from './datasources.ts';
import { colourMode, withPanelOptions, type PanelOptions } from './panel-options.ts';
import { instantQueries, sqlQuery, type PromQuery } from './queries.ts';

/** Large numbers or texts, one for each column of the only row. */
export function sqlStatPanel(options: PanelOptions & { readonly sql: string }): Builder<Panel> {
  return statPanel(options, '/.*/').datasource(DATASOURCES.postgres).withTarget(sqlQuery(options.sql));
}

/** Large numbers, one for each series. */
export function promStatPanel(
  options: PanelOptions & { readonly queries: readonly PromQuery[] },
): Builder<Panel> {
  // A number keeps its name even when it is the only one with a series.
  return statPanel(options, '')
    .textMode(BigValueTextMode.ValueAndName)
    .datasource(DATASOURCES.prometheus)
    .targets(instantQueries(options.queries));
}

function statPanel(options: PanelOptions, fields: string): PanelBuilder {
  const mappings = [...(options.mappings ?? []), missingMapping('text')];
  return withPanelOptions(new PanelBuilder(), { ...options, mappings })
    .colorScheme(colourMode(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields(fields).values(false));
}
