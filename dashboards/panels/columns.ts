import { COLOURS, colourMapping, stageMapping } from './colours.ts';
import { dashboardLink, traceLink, type LinkColumns } from './links.ts';
import type { FieldLook } from './panel-words.ts';
import { column, type ColumnLook } from './table-panel.ts';
import { ONE_IS_BEST, SKILL } from './thresholds.ts';
import { UNITS } from './units.ts';

/** Columns that many tables have, always with the same title, unit, colour and link. */
export const uidColumn = (): FieldLook => column('miner_uid', 'UID', { unit: UNITS.count, width: 50 });

/** The miner of the row, and a link to all that it did. */
export const minerColumn = (columns: LinkColumns = {}): FieldLook =>
  column('miner_hotkey', 'Miner', {
    width: 110,
    links: [dashboardLink('miner', 'All of this miner', { miner: 'miner_hotkey', ...columns })],
  });

/** The trace of the row. */
export const traceColumn = (span?: string): FieldLook =>
  column('trace_id', 'Trace', {
    width: 90,
    links: [traceLink({ trace: 'trace_id', ...(span === undefined ? {} : { span }) })],
  });

export const stepColumn = (): FieldLook => column('step_name', 'Step', { width: 110 });
export const leadColumn = (): FieldLook =>
  column('lead_hours', 'Lead', { unit: UNITS.hours, decimals: 0, width: 65 });
export const errorTypeColumn = (): FieldLook => column('error_type', 'Category', { width: 150 });
/** A sentence; it takes all the width that the others leave. */
export const messageColumn = (name: string, title = 'Last error'): FieldLook => column(name, title);

export const stepStatusColumn = (): FieldLook =>
  column('status', 'Status', { width: 130, mappings: colourMapping(COLOURS.stepStatus) });
export const stageColumn = (): FieldLook =>
  column('current_forecast_stage', 'Stage', { width: 150, mappings: stageMapping() });
export const stageStatusColumn = (): FieldLook =>
  column('current_forecast_status', 'Within the stage', {
    width: 130,
    mappings: colourMapping(COLOURS.stageStatus),
  });
export const forecastStatusColumn = (): FieldLook =>
  column('forecast_status', 'Forecast', { width: 100, mappings: colourMapping(COLOURS.forecastStatus) });
export const runStatusColumn = (): FieldLook =>
  column('status', 'Status', { width: 150, mappings: colourMapping(COLOURS.runStatus) });
export const faultColumn = (): FieldLook =>
  column('fault', 'At fault', { width: 85, mappings: colourMapping(COLOURS.fault) });

/** A whole number. */
export const countColumn = (name: string, title: string, look: ColumnLook = {}): FieldLook =>
  column(name, title, { unit: UNITS.count, decimals: 0, width: 75, ...look });
/** A score between 0 and 1. */
export const scoreColumn = (name: string, title: string): FieldLook =>
  column(name, title, {
    unit: UNITS.score,
    decimals: 3,
    width: 70,
    thresholds: ONE_IS_BEST,
    coloured: 'text',
  });
/** A skill: below 0 it is worse than the reference. */
export const skillColumn = (name: string, title: string): FieldLook =>
  column(name, title, { unit: UNITS.score, decimals: 3, width: 75, thresholds: SKILL, coloured: 'text' });
/** A time that goes by, in seconds. */
export const secondsColumn = (name: string, title: string, look: ColumnLook = {}): FieldLook =>
  column(name, title, { unit: UNITS.seconds, decimals: 0, width: 95, ...look });
