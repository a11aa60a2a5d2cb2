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

/** What every panel says, whatever it draws. */
export interface PanelText {
  /** Stays with the panel for good: links to a single panel name it. */
  readonly id: number;
  readonly title: string;
  /** What is shown, and what to do when it is bad. */
  readonly description: string;
  readonly unit: string;
  /** The sentence that stands in place of the whole panel while its queries give nothing. */
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
  readonly fields?: readonly FieldLook[];
}

/** How one column or line looks where it differs from the rest of its panel. */
export interface FieldLook {
  readonly name: string;
  /** What stands above the column instead of its name. */
  readonly title?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly thresholds?: Thresholds;
  readonly mappings?: ValueMapping[];
  readonly colour?: string;
  readonly links?: readonly DataLink[];
  /** Properties that only one kind of panel knows. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** What the builders of all kinds of panels can do. */
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

/** What stands in place of a single value that is missing, where other values are there. */
export const MISSING_VALUE = '–';
const ALL_FIELDS = '/.*/';

/** Gives a builder what every panel says. */
export function withPanelText<Panel extends AnyPanelBuilder>(builder: Panel, words: PanelText): Panel {
  builder.id(words.id);
  builder.title(words.title);
  builder.description(words.description);
  builder.span(words.width);
  builder.height(words.height);
  builder.unit(words.unit);
  builder.noValue(words.noValue);
  if (words.decimals !== undefined) builder.decimals(words.decimals);
  if (words.min !== undefined) builder.min(words.min);
  if (words.max !== undefined) builder.max(words.max);
  if (words.thresholds !== undefined) builder.thresholds(thresholdsOf(words.thresholds));
  if (words.mappings !== undefined) builder.mappings(words.mappings);
  // Grafana writes the sentence of the panel into every empty cell, number and tooltip that has no word of its own.
  builder.overrideByRegexp(ALL_FIELDS, [{ id: 'noValue', value: MISSING_VALUE }]);
  for (const field of words.fields ?? []) builder.overrideByName(field.name, propertiesOf(field));
  return builder;
}

export const colourMode = (mode: FieldColorModeId): FieldColorBuilder => new FieldColorBuilder().mode(mode);

function propertiesOf(look: FieldLook): DynamicConfigValue[] {
  const { title, unit, decimals, thresholds, mappings, colour, links, custom } = look;
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
