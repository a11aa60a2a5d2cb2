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
import { colourMode, withPanelText, type PanelText } from './panel-words.ts';
import { sqlQuery } from './queries.ts';

type SqlPanel = PanelText & { readonly sql: string };

/** Bars, one for each row, named by one column; thresholds colour them by their length, another column by its value. */
export function barPanel(
  words: SqlPanel & { readonly nameField: string; readonly colourField?: string },
): Builder<Panel> {
  const builder = withPanelText(new BarChartBuilder(), words)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(words.sql))
    .colorScheme(
      colourMode(words.thresholds ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassicByName),
    )
    .xField(words.nameField)
    .orientation(VizOrientation.Horizontal)
    .stacking(StackingMode.None)
    .showValue(VisibilityMode.Always)
    .barWidth(0.8)
    .fillOpacity(80)
    .legend(legend().showLegend(false))
    .tooltip(tooltip());
  return words.colourField === undefined ? builder : builder.colorByField(words.colourField);
}

/** How often each range of a number occurs. */
export function histogramPanel(words: SqlPanel & { readonly bucketSize: number }): Builder<Panel> {
  return withPanelText(new HistogramBuilder(), words)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(words.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .bucketSize(words.bucketSize)
    .fillOpacity(60)
    .legend(legend())
    .tooltip(tooltip());
}

/** One point a row, one number against another. */
export function scatterPanel(words: SqlPanel & { readonly x: string; readonly y: string }): Builder<Panel> {
  const named = (name: string) => ({ matcher: { id: 'byName', options: name } });
  return withPanelText(new ScatterBuilder(), words)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(words.sql))
    .colorScheme(colourMode(FieldColorModeId.PaletteClassicByName))
    .mapping(SeriesMapping.Manual)
    .series([new XYSeriesConfigBuilder().x(named(words.x)).y(named(words.y))])
    .show(XYShowMode.Points)
    .pointSize({ fixed: 7 })
    .legend(legend().showLegend(false))
    .tooltip(tooltip());
}

/**
 * Bars over time that say in which state each row of the panel is. The query gives `time`, `lane` and `state`, in the
 * order of time; a state without a value ends the one before.
 */
export function timelinePanel(words: SqlPanel): Builder<Panel> {
  return withPanelText(new TimelineBuilder(), words)
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(words.sql))
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
