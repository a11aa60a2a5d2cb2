import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { StackingMode, VisibilityMode, VizOrientation } from '@grafana/grafana-foundation-sdk/common';
import { FieldColorModeId, type Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as BarChartBuilder } from '@grafana/grafana-foundation-sdk/barchart';
import { PanelBuilder as HistogramBuilder } from '@grafana/grafana-foundation-sdk/histogram';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import {
  PanelBuilder as ScatterBuilder,
  SeriesMapping,
  XYSeriesConfigBuilder,
  XYShowMode,
} from '@grafana/grafana-foundation-sdk/xychart';
import { DATASOURCES } from './datasources.ts';
import { legend, tooltip } from './graph-panels.ts';
import { colourMode, withPanelOptions, type PanelOptions } from './panel-options.ts';
import { sqlQuery } from './queries.ts';

type SqlPanel = PanelOptions & { readonly sql: string };

/** Bars, one for each row, named by one column; thresholds colour them by their length, another column by its value. */
export function barPanel(
  options: SqlPanel & { readonly nameField: string; readonly colourField?: string },
): Builder<Panel> {
  const builder = withPanelOptions(new BarChartBuilder(), options)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(options.sql))
    .colorScheme(
      colourMode(options.thresholds ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassicByName),
    )
    .xField(options.nameField)
    .orientation(VizOrientation.Horizontal)
    .stacking(StackingMode.None)
    .showValue(VisibilityMode.Always)
    .barWidth(0.8)
    .fillOpacity(80)
    .legend(legend().showLegend(false))
    .tooltip(tooltip());
  return options.colourField === undefined ? builder : builder.colorByField(options.colourField);
}

/** How often each range of a number occurs. */
export function histogramPanel(options: SqlPanel & { readonly bucketSize: number }): Builder<Panel> {
  return withPanelOptions(new HistogramBuilder(), options)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(options.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .bucketSize(options.bucketSize)
    .fillOpacity(60)
    .legend(legend())
    .tooltip(tooltip());
}

/** One point a row, one number against another. */
export function scatterPanel(options: SqlPanel & { readonly x: string; readonly y: string }): Builder<Panel> {
  const named = (name: string) => ({ matcher: { id: 'byName', options: name } });
  return withPanelOptions(new ScatterBuilder(), options)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(options.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .mapping(SeriesMapping.Manual)
    .series([new XYSeriesConfigBuilder().x(named(options.x)).y(named(options.y))])
    .show(XYShowMode.Points)
    .pointSize({ fixed: 7 })
    .legend(legend().showLegend(false))
    .tooltip(tooltip());
}

/**
 * Bars over time with the state of each lane. The query returns `time`, `lane` and `state`, in the
 * order of time; a state without a value ends the one before.
 */
export function timelinePanel(options: SqlPanel): Builder<Panel> {
  return withPanelOptions(new TimelineBuilder(), options)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(options.sql))
    .withTransformation({
      id: 'partitionByValues',
      options: { fields: ['lane'], keepFields: false, naming: { asLabels: true } },
    })
    .displayName('${__field.labels.lane}')
    .colorScheme(colourMode(FieldColorModeId.Thresholds))
    .mergeValues(false)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.8)
    .legend(legend())
    .tooltip(tooltip());
}
