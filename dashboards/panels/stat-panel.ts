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
import { colourMode, withPanelText, type PanelText } from './panel-words.ts';
import { instantQueries, sqlQuery, type PromQuery } from './queries.ts';

/** Large numbers or words, one for each column of the only row. */
export function sqlStatPanel(words: PanelText & { readonly sql: string }): Builder<Panel> {
  return statPanel(words, '/.*/').datasource(DATASOURCES.postgres).withTarget(sqlQuery(words.sql));
}

/** Large numbers, one for each series. */
export function promStatPanel(words: PanelText & { readonly queries: readonly PromQuery[] }): Builder<Panel> {
  // A number that stands alone, since the others have no series now, keeps its name.
  return statPanel(words, '')
    .textMode(BigValueTextMode.ValueAndName)
    .datasource(DATASOURCES.prometheus)
    .targets(instantQueries(words.queries));
}

function statPanel(words: PanelText, fields: string): PanelBuilder {
  const mappings = [...(words.mappings ?? []), missingMapping('text')];
  return withPanelText(new PanelBuilder(), { ...words, mappings })
    .colorScheme(colourMode(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields(fields).values(false));
}
