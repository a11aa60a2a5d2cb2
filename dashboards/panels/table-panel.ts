import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { TableCellDisplayMode, TableCellHeight } from '@grafana/grafana-foundation-sdk/common';
import { FieldColorModeId, type Panel, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { missingMapping } from './colours.ts';
import { DATASOURCES } from './datasources.ts';
import type { DataLink } from './links.ts';
import { colourMode, withPanelOptions, type FieldOptions, type PanelOptions } from './panel-options.ts';
import { sqlQuery } from './queries.ts';
import type { Thresholds } from './thresholds.ts';
import { UNITS } from './units.ts';

/** Options of a column besides its title. */
export interface ColumnOptions {
  readonly unit?: string;
  readonly decimals?: number;
  /** Pixels. */
  readonly width?: number;
  readonly links?: readonly DataLink[];
  /** Colours the cell by its value. */
  readonly thresholds?: Thresholds;
  readonly mappings?: ValueMapping[];
  /** Whether the background is coloured (default) or the text. */
  readonly coloured?: 'background' | 'text';
}

/** A column that is shown. */
export function column(name: string, title: string, options: ColumnOptions = {}): FieldOptions {
  const { width, coloured = 'background', mappings = [], ...rest } = options;
  const ofWidth = width === undefined ? {} : { width };
  if (options.thresholds === undefined && options.mappings === undefined)
    return { name, title, ...rest, custom: ofWidth };
  const isText = coloured === 'text';
  const type = isText ? TableCellDisplayMode.ColorText : TableCellDisplayMode.ColorBackground;
  return {
    name,
    title,
    ...rest,
    mappings: [...mappings, missingMapping(isText ? 'text' : 'transparent')],
    custom: { ...ofWidth, cellOptions: { type } },
  };
}

/** A hidden column that only links read. */
export const hiddenColumn = (name: string): FieldOptions => ({ name, custom: { 'hideFrom.viz': true } });

/** An instant, as a column. */
export const instantColumn = (name: string, title: string, options: ColumnOptions = {}): FieldOptions =>
  column(name, title, { unit: UNITS.instant, width: 155, ...options });

export interface TablePanel extends Omit<PanelOptions, 'fields' | 'unit'> {
  readonly sql: string;
  /** All columns of the result, in its order. */
  readonly columns: readonly FieldOptions[];
  /** Unit of the columns that name none; text by default. */
  readonly unit?: string;
}

/** Rows of a query. */
export function tablePanel({ sql, columns, unit = UNITS.text, ...options }: TablePanel): Builder<Panel> {
  return withPanelOptions(new PanelBuilder(), { ...options, unit, fields: columns })
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(sql))
    .colorScheme(colourMode(FieldColorModeId.Thresholds))
    .cellHeight(TableCellHeight.Sm)
    .filterable(true)
    .inspect(true);
}
