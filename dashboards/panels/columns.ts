import { COLOURS, colourMapping, stageMapping } from './colours.ts';
import { dashboardLink, traceLink, type LinkColumns } from './links.ts';
import type { FieldOptions } from './panel-options.ts';
import { column, type ColumnOptions } from './table-panel.ts';
import { ONE_IS_BEST, SKILL } from './thresholds.ts';
import { UNITS } from './units.ts';

/** Columns shared by many tables, always with the same title, unit, colour and link. */
export const uidColumn = (): FieldOptions => column('miner_uid', 'UID', { unit: UNITS.count, width: 50 });

/** The miner of the row, with a link to its dashboard. */
export const minerColumn = (columns: LinkColumns = {}): FieldOptions =>
  column('miner_hotkey', 'Miner', {
    width: 110,
    links: [dashboardLink('miner', 'All of this miner', { miner: 'miner_hotkey', ...columns })],
  });

/** The trace of the row. */
export const traceColumn = (span?: string): FieldOptions =>
  column('trace_id', 'Trace', {
    width: 90,
    links: [traceLink({ trace: 'trace_id', ...(span === undefined ? {} : { span }) })],
  });

export const stepColumn = (): FieldOptions => column('step_name', 'Step', { width: 110 });
export const leadColumn = (): FieldOptions =>
  column('lead_hours', 'Lead', { unit: UNITS.hours, decimals: 0, width: 65 });
export const errorTypeColumn = (): FieldOptions => column('error_type', 'Category', { width: 150 });
/** A sentence; it fills the width that the other columns leave. */
export const messageColumn = (name: string, title = 'Last error'): FieldOptions => column(name, title);

export const stepStatusColumn = (): FieldOptions =>
  column('status', 'Status', { width: 130, mappings: colourMapping(COLOURS.stepStatus) });
export const stageColumn = (): FieldOptions =>
  column('current_forecast_stage', 'Stage', { width: 150, mappings: stageMapping() });
export const stageStatusColumn = (): FieldOptions =>
  column('current_forecast_status', 'Within the stage', {
    width: 130,
    mappings: colourMapping(COLOURS.stageStatus),
  });
export const forecastStatusColumn = (): FieldOptions =>
  column('forecast_status', 'Forecast', { width: 100, mappings: colourMapping(COLOURS.forecastStatus) });
export const runStatusColumn = (): FieldOptions =>
  column('status', 'Status', { width: 150, mappings: colourMapping(COLOURS.runStatus) });
export const faultColumn = (): FieldOptions =>
  column('fault', 'At fault', { width: 85, mappings: colourMapping(COLOURS.fault) });

/** A whole number. */
export const countColumn = (name: string, title: string, options: ColumnOptions = {}): FieldOptions =>
  column(name, title, { unit: UNITS.count, decimals: 0, width: 75, ...options });
/** A score between 0 and 1. */
export const scoreColumn = (name: string, title: string): FieldOptions =>
  column(name, title, {
    unit: UNITS.score,
    decimals: 3,
    width: 70,
    thresholds: ONE_IS_BEST,
    coloured: 'text',
  });
/** A skill: below 0 it is worse than the reference. */
export const skillColumn = (name: string, title: string): FieldOptions =>
  column(name, title, { unit: UNITS.score, decimals: 3, width: 75, thresholds: SKILL, coloured: 'text' });
/** A duration in seconds. */
export const secondsColumn = (name: string, title: string, options: ColumnOptions = {}): FieldOptions =>
  column(name, title, { unit: UNITS.seconds, decimals: 0, width: 95, ...options });
