import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type {
  DynamicConfigValue,
  FieldColor,
  FieldColorModeId,
  Panel,
  ThresholdsConfig,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { FieldColorBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DataLink } from './links.ts';
import { stepsOf, thresholdsOf, type Thresholds } from './thresholds.ts';

/** Options that every kind of panel has. */
export interface PanelOptions {
  /** Stable for the life of the panel: links to a single panel contain it. */
  readonly id: number;
  readonly title: string;
  /** What is shown, and what to do when it is bad. */
  readonly description: string;
  readonly unit: string;
  /** The sentence shown instead of the panel while its queries return nothing. */
  readonly noValue: string;
  /** Of the 24 columns of the grid. */
  readonly width: number;
  /** Rows of the grid, about 30 pixels each. */
  readonly height: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly thresholds?: Thresholds;
  readonly mappings?: ValueMapping[];
  readonly fields?: readonly FieldOptions[];
}

/** Overrides for one column or line of a panel. */
export interface FieldOptions {
  readonly name: string;
  /** Heading of the column, instead of its name. */
  readonly title?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly thresholds?: Thresholds;
  readonly mappings?: ValueMapping[];
  readonly colour?: string;
  readonly links?: readonly DataLink[];
  /** Properties that only one kind of panel has. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** The methods that the builders of all kinds of panels share. */
interface AnyPanelBuilder extends Builder<Panel> {
  id(id: number): unknown;
  title(title: string): unknown;
  description(text: string): unknown;
  span(columns: number): unknown;
  height(rows: number): unknown;
  unit(unit: string): unknown;
  noValue(text: string): unknown;
  decimals(digits: number): unknown;
  min(value: number): unknown;
  max(value: number): unknown;
  thresholds(thresholds: Builder<ThresholdsConfig>): unknown;
  mappings(mappings: ValueMapping[]): unknown;
  colorScheme(color: Builder<FieldColor>): unknown;
  overrideByName(name: string, properties: DynamicConfigValue[]): unknown;
  overrideByRegexp(pattern: string, properties: DynamicConfigValue[]): unknown;
}

/** Shown for a single missing value, where other values are present. */
export const MISSING_VALUE = '–';
const ALL_FIELDS = '/.*/';

/** Applies the common options to a builder, and returns it. */
export function withPanelOptions<Panel extends AnyPanelBuilder>(
  builder: Panel,
  options: PanelOptions,
): Panel {
  builder.id(options.id);
  builder.title(options.title);
  builder.description(options.description);
  builder.span(options.width);
  builder.height(options.height);
  builder.unit(options.unit);
  builder.noValue(options.noValue);
  if (options.decimals !== undefined) builder.decimals(options.decimals);
  if (options.min !== undefined) builder.min(options.min);
  if (options.max !== undefined) builder.max(options.max);
  if (options.thresholds !== undefined) builder.thresholds(thresholdsOf(options.thresholds));
  if (options.mappings !== undefined) builder.mappings(options.mappings);
  // Without this override Grafana shows the panel's `noValue` sentence in every empty cell, number and tooltip.
  builder.overrideByRegexp(ALL_FIELDS, [{ id: 'noValue', value: MISSING_VALUE }]);
  for (const field of options.fields ?? []) builder.overrideByName(field.name, propertiesOf(field));
  return builder;
}

export const colourMode = (mode: FieldColorModeId): FieldColorBuilder => new FieldColorBuilder().mode(mode);

function propertiesOf(options: FieldOptions): DynamicConfigValue[] {
  const { title, unit, decimals, thresholds, mappings, colour, links, custom } = options;
  const all: readonly (DynamicConfigValue | undefined)[] = [
    title === undefined ? undefined : { id: 'displayName', value: title },
    unit === undefined ? undefined : { id: 'unit', value: unit },
    decimals === undefined ? undefined : { id: 'decimals', value: decimals },
    thresholds && { id: 'thresholds', value: { mode: 'absolute', steps: stepsOf(thresholds) } },
    mappings && { id: 'mappings', value: mappings },
    colour === undefined ? undefined : { id: 'color', value: { mode: 'fixed', fixedColor: colour } },
    links && { id: 'links', value: links },
    ...Object.entries(custom ?? {}).map(([name, value]) => ({ id: `custom.${name}`, value })),
  ];
  return all.filter((property) => property !== undefined);
}
