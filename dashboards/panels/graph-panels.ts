import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  LegendDisplayMode,
  LegendPlacement,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorModeId, type Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { PanelBuilder as TrendBuilder } from '@grafana/grafana-foundation-sdk/trend';
import { DATASOURCES } from './datasources.ts';
import { colourMode, withPanelText, type PanelText } from './panel-words.ts';
import { rangeQueries, sqlQuery, type PromQuery } from './queries.ts';

export const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);

const tableLegend = (): VizLegendOptionsBuilder =>
  legend()
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Right)
    .calcs(['lastNotNull', 'max']);

export const tooltip = (): VizTooltipOptionsBuilder =>
  new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/** What lines over time may be told besides. */
export interface LineLook {
  /** Whether the lines are laid on top of each other, as shares of a whole. */
  readonly isStacked?: boolean;
  /** Whether points that are far apart are joined. */
  readonly isJoined?: boolean;
  /** Whether there are so many lines that their names need a table beside them, which can be sorted. */
  readonly isManyLines?: boolean;
  /** Whether each power of ten has the same height; not with a smallest value of 0. */
  readonly isLogarithmic?: boolean;
}

function lines(words: PanelText & LineLook): TimeSeriesBuilder {
  const { isStacked = false, isJoined = false, isManyLines = false, isLogarithmic = false } = words;
  const scale = new ScaleDistributionConfigBuilder();
  return withPanelText(new TimeSeriesBuilder(), words)
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .legend(isManyLines ? tableLegend() : legend())
    .tooltip(tooltip())
    .lineWidth(1)
    .fillOpacity(isStacked ? 30 : 0)
    .scaleDistribution(
      isLogarithmic ? scale.type(ScaleDistribution.Log).log(10) : scale.type(ScaleDistribution.Linear),
    )
    .spanNulls(isJoined)
    .showPoints(isJoined ? VisibilityMode.Always : VisibilityMode.Auto)
    .stacking(
      new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None).group('A'),
    );
}

/** Lines over time, from Prometheus. */
export function promLinesPanel(
  words: PanelText & LineLook & { readonly queries: readonly PromQuery[] },
): Builder<Panel> {
  return lines(words).datasource(DATASOURCES.prometheus).targets(rangeQueries(words.queries));
}

/**
 * Lines over time, from PostgreSQL: a column `time`, a column with the name of the line or none, and the numbers. Without
 * `lineName` a line is called by the column of its number, too.
 */
export function sqlLinesPanel(
  words: PanelText & LineLook & { readonly sql: string; readonly lineName?: string },
): Builder<Panel> {
  const builder = lines(words);
  if (words.lineName !== undefined) builder.displayName(words.lineName);
  return builder.datasource(DATASOURCES.postgres).withTarget(sqlQuery(words.sql, 'time_series'));
}

/**
 * Lines over a number, such as the lead, whatever the time range of the dashboard. The query gives it strictly rising. A
 * limit of the panel would be one of that number, too.
 */
export function trendPanel(
  words: Omit<PanelText, 'min' | 'max'> &
    Pick<LineLook, 'isJoined'> & { readonly sql: string; readonly xField: string },
): Builder<Panel> {
  return withPanelText(new TrendBuilder(), words)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(words.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .xField(words.xField)
    .legend(legend())
    .tooltip(tooltip())
    .lineWidth(2)
    .spanNulls(words.isJoined ?? false)
    .showPoints(VisibilityMode.Always)
    .pointSize(6);
}
