import { AxisPlacement } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardCursorSync,
  DashboardLinkType,
  FieldColorModeId,
  MappingType,
  SpecialValueMatch,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat, QueryEditorMode } from '@grafana/grafana-foundation-sdk/prometheus';
import { z } from 'zod';
import { DATASOURCES } from '#dashboards/panels/datasources';

/** The parts of a dashboard as the types of the SDK have them, and nothing beyond: an unknown key is an error. */
const datasource = z.strictObject({
  type: z.enum(Object.values(DATASOURCES).map(({ type }) => type)),
  uid: z.enum(Object.values(DATASOURCES).map(({ uid }) => uid)),
});

const sqlTarget = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  rawSql: z.string().min(1),
  format: z.enum(['table', 'time_series']),
  rawQuery: z.literal(true),
  editorMode: z.literal('code'),
});
const promTarget = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string().min(1),
  editorMode: z.enum(QueryEditorMode),
  format: z.enum(PromQueryFormat),
  range: z.boolean().optional(),
  instant: z.boolean().optional(),
  exemplar: z.boolean().optional(),
});
const target = z.union([sqlTarget, promTarget]);

const mappingResult = z.strictObject({
  text: z.string().optional(),
  color: z.string().optional(),
  index: z.int().optional(),
});
const mapping = z.union([
  z.strictObject({ type: z.literal(MappingType.ValueToText), options: z.record(z.string(), mappingResult) }),
  z.strictObject({
    type: z.literal(MappingType.RegexToText),
    options: z.strictObject({ pattern: z.string(), result: mappingResult }),
  }),
  z.strictObject({
    type: z.literal(MappingType.SpecialValue),
    options: z.strictObject({ match: z.enum(SpecialValueMatch), result: mappingResult }),
  }),
]);
const thresholds = z.strictObject({
  mode: z.enum(ThresholdsMode),
  steps: z.array(z.strictObject({ value: z.number().nullable(), color: z.string() })).min(1),
});
const dataLink = z.strictObject({
  title: z.string().min(1),
  url: z.string().min(1),
  targetBlank: z.boolean(),
});

const property = z.union([
  z.strictObject({ id: z.enum(['displayName', 'unit', 'noValue']), value: z.string() }),
  z.strictObject({ id: z.literal('decimals'), value: z.int() }),
  z.strictObject({ id: z.literal('thresholds'), value: thresholds }),
  z.strictObject({ id: z.literal('mappings'), value: z.array(mapping) }),
  z.strictObject({
    id: z.literal('color'),
    value: z.strictObject({ mode: z.enum(FieldColorModeId), fixedColor: z.string() }),
  }),
  z.strictObject({ id: z.literal('links'), value: z.array(dataLink) }),
  z.strictObject({ id: z.literal('custom.axisPlacement'), value: z.enum(AxisPlacement) }),
  z.strictObject({ id: z.literal('custom.width'), value: z.int() }),
  z.strictObject({ id: z.literal('custom.hideFrom.viz'), value: z.literal(true) }),
  z.strictObject({
    id: z.literal('custom.cellOptions'),
    value: z.strictObject({ type: z.enum(['color-background', 'color-text']) }),
  }),
]);

const gridPos = z.strictObject({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(1),
});

const panel = z.strictObject({
  type: z.enum([
    'stat',
    'table',
    'timeseries',
    'trend',
    'barchart',
    'histogram',
    'xychart',
    'state-timeline',
  ]),
  id: z.int().min(1),
  title: z.string().min(1),
  description: z.string().min(1),
  transparent: z.boolean().optional(),
  repeatDirection: z.enum(['h', 'v']).optional(),
  datasource,
  gridPos,
  targets: z.array(target).min(1),
  transformations: z
    .array(z.strictObject({ id: z.literal('partitionByValues'), options: z.record(z.string(), z.unknown()) }))
    .optional(),
  options: z.record(z.string(), z.unknown()),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.string().min(1),
      noValue: z.string().min(1),
      displayName: z.string().optional(),
      decimals: z.int().optional(),
      min: z.number().optional(),
      max: z.number().optional(),
      mappings: z.array(mapping).optional(),
      thresholds: thresholds.optional(),
      color: z.strictObject({ mode: z.enum(FieldColorModeId) }).optional(),
      custom: z.record(z.string(), z.unknown()).optional(),
    }),
    overrides: z.array(
      z.strictObject({
        matcher: z.strictObject({ id: z.enum(['byName', 'byRegexp']), options: z.string().min(1) }),
        properties: z.array(property).min(1),
      }),
    ),
  }),
});

const row = z.strictObject({
  type: z.literal('row'),
  id: z.int().min(1),
  title: z.string().min(1),
  collapsed: z.literal(false),
  gridPos,
  panels: z.array(z.never()),
});

const option = z.strictObject({ selected: z.boolean().optional(), text: z.string(), value: z.string() });
const variable = z.strictObject({
  type: z.enum(['query', 'textbox']),
  name: z.string().regex(/^\w+$/),
  label: z.string().min(1),
  description: z.string().min(1),
  skipUrlSync: z.literal(false).optional(),
  query: z.string().min(1),
  definition: z.string().optional(),
  datasource: datasource.optional(),
  current: option.optional(),
  refresh: z.enum(VariableRefresh).optional(),
  sort: z.enum(VariableSort).optional(),
  multi: z.boolean().optional(),
  allowCustomValue: z.boolean().optional(),
  includeAll: z.boolean().optional(),
  hide: z.int().optional(),
  // What the SDK gives to every variable; only an interval uses it.
  auto: z.literal(false).optional(),
  auto_min: z.string().optional(),
  auto_count: z.int().optional(),
});

/** A dashboard as this project writes it, in the classic form. */
export const dashboardShape = z.strictObject({
  uid: z.string().regex(/^barograph-[a-z]+$/),
  title: z.string().min(1),
  description: z.string().min(1),
  tags: z.array(z.string()),
  timezone: z.literal('utc'),
  editable: z.literal(false),
  graphTooltip: z.enum(DashboardCursorSync),
  time: z.strictObject({ from: z.string().regex(/^now-\d+[hd]$/), to: z.literal('now') }),
  fiscalYearStartMonth: z.int().optional(),
  refresh: z.string().regex(/^\d+[sm]$/),
  schemaVersion: z.int().min(39),
  panels: z.array(z.union([row, panel])).min(1),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({ list: z.array(z.never()).optional() }),
  links: z.array(
    z.strictObject({
      title: z.string().min(1),
      type: z.enum(DashboardLinkType),
      icon: z.string(),
      tooltip: z.string().min(1),
      url: z.string().min(1),
      tags: z.array(z.string()),
      asDropdown: z.boolean(),
      targetBlank: z.boolean(),
      includeVars: z.literal(true),
      keepTime: z.boolean(),
    }),
  ),
});

export type DashboardJson = z.output<typeof dashboardShape>;
export type PanelJson = z.output<typeof panel>;
export type SqlTargetJson = z.output<typeof sqlTarget>;
export type PromTargetJson = z.output<typeof promTarget>;
