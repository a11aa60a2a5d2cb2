import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { TableCellDisplayMode, TableCellHeight } from '@grafana/grafana-foundation-sdk/common';
import { FieldColorModeId, type Panel, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { missingMapping } from './colours.ts';
import { DATASOURCES } from './datasources.ts';
import type { DataLink } from './links.ts';
import { colourMode, withPanelText, type FieldLook, type PanelText } from './panel-words.ts';
import { sqlQuery } from './queries.ts';
import type { Thresholds } from './thresholds.ts';
import { UNITS } from './units.ts';

/** What a column may say besides its title. */
export interface ColumnLook {
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
export function column(name: string, title: string, look: ColumnLook = {}): FieldLook {
  const { width, coloured = 'background', mappings = [], ...rest } = look;
  const ofWidth = width === undefined ? {} : { width };
  if (look.thresholds === undefined && look.mappings === undefined)
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

/** A column that only links need. */
export const hiddenColumn = (name: string): FieldLook => ({ name, custom: { 'hideFrom.viz': true } });

/** An instant, as a column. */
export const instantColumn = (name: string, title: string, look: ColumnLook = {}): FieldLook =>
  column(name, title, { unit: UNITS.instant, width: 155, ...look });

export interface TablePanel extends Omit<PanelText, 'fields' | 'unit'> {
  readonly sql: string;
  /** All columns of the result, in its order. */
  readonly columns: readonly FieldLook[];
  /** Unit of the columns that name none; text unless said otherwise. */
  readonly unit?: string;
}

/** Rows of a query. */
export function tablePanel({ sql, columns, unit = UNITS.text, ...words }: TablePanel): Builder<Panel> {
  return withPanelText(new PanelBuilder(), { ...words, unit, fields: columns })
    .datasource(DATASOURCES.postgres)
    .withTarget(sqlQuery(sql))
    .colorScheme(colourMode(FieldColorModeId.Thresholds))
    .cellHeight(TableCellHeight.Sm)
    .filterable(true)
    .inspect(true);
}
