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
import { colourMode, withPanelOptions, type PanelOptions } from './panel-options.ts';
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

/** Options of lines over time. */
export interface LineOptions {
  /** Whether the lines are laid on top of each other, as shares of a whole. */
  readonly isStacked?: boolean;
  /** Whether points that are far apart are joined. */
  readonly isJoined?: boolean;
  /** Whether there are so many lines that their names need a table beside them, which can be sorted. */
  readonly isManyLines?: boolean;
  /** Whether each power of ten has the same height; not with a smallest value of 0. */
  readonly isLogarithmic?: boolean;
}

function lines(options: PanelOptions & LineOptions): TimeSeriesBuilder {
  const { isStacked = false, isJoined = false, isManyLines = false, isLogarithmic = false } = options;
  const scale = new ScaleDistributionConfigBuilder();
  return withPanelOptions(new TimeSeriesBuilder(), options)
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
  options: PanelOptions & LineOptions & { readonly queries: readonly PromQuery[] },
): Builder<Panel> {
  return lines(options).datasource(DATASOURCES.prometheus).targets(rangeQueries(options.queries));
}

/**
 * Lines over time, from PostgreSQL: a column `time`, an optional column with the name of the line, and the numbers. Without
 * `lineName` the name of a line includes the column of its number.
 */
export function sqlLinesPanel(
  options: PanelOptions & LineOptions & { readonly sql: string; readonly lineName?: string },
): Builder<Panel> {
  const builder = lines(options);
  if (options.lineName !== undefined) builder.displayName(options.lineName);
  return builder.datasource(DATASOURCES.postgres).withTarget(sqlQuery(options.sql, 'time_series'));
}

/**
 * Lines over a number, such as the lead, whatever the time range of the dashboard. The query returns it strictly rising.
 * No `min` and `max`: Grafana would apply them to that number, too.
 */
export function trendPanel(
  options: Omit<PanelOptions, 'min' | 'max'> &
    Pick<LineOptions, 'isJoined'> & { readonly sql: string; readonly xField: string },
): Builder<Panel> {
  return withPanelOptions(new TrendBuilder(), options)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(options.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .xField(options.xField)
    .legend(legend())
    .tooltip(tooltip())
    .lineWidth(2)
    .spanNulls(options.isJoined ?? false)
    .showPoints(VisibilityMode.Always)
    .pointSize(6);
}
