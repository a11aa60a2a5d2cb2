import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelJson } from '../dashboards/shapes.ts';
import { cssColour, lineColour } from './colours.ts';
import { formatNumber } from './formats.ts';
import type { Field, Value } from './frames.ts';

type Defaults = PanelJson['fieldConfig']['defaults'];
type Mapping = NonNullable<Defaults['mappings']>[number];

/** How one field of a panel is shown: the defaults, and what is said of it alone. */
export interface Look {
  readonly title: string;
  readonly unit: string;
  readonly decimals?: number;
  readonly noValue: string;
  readonly mappings: readonly Mapping[];
  readonly thresholds: readonly { readonly value: number | null; readonly color: string }[];
  readonly fixedColour?: string;
  readonly width?: number;
  readonly isHidden: boolean;
  readonly cell?: string;
  readonly isLink: boolean;
}

/** A value as it is shown. */
export interface Shown {
  readonly text: string;
  /** Undefined when neither a mapping nor a threshold says one. */
  readonly colour?: string;
}

const NEUTRAL_THRESHOLDS = [{ value: null, color: 'green' }];

/** The name of a line or column before anything renames it. */
function nameOf({ name, legend, labels = {}, ...field }: Field, { displayName }: Defaults): string {
  if (legend !== undefined) return legend;
  if (displayName !== undefined)
    return displayName.replaceAll(/\$\{__field\.labels\.(\w+)\}/g, (_, label: string) => labels[label] ?? '');
  return field.type === 'time' ? name : [name, ...Object.values(labels)].join(' ');
}

type Matcher = PanelJson['fieldConfig']['overrides'][number]['matcher'];

const matches = ({ id, options }: Matcher, name: string): boolean =>
  id === 'byName' ? options === name : new RegExp(options.replace(/^\/(.*)\/$/, '$1')).test(name);

/** Puts together how a field is shown. */
export function lookOf({ fieldConfig }: PanelJson, field: Field): Look {
  const { defaults, overrides } = fieldConfig;
  const name = nameOf(field, defaults);
  const own = Object.fromEntries(
    overrides
      .filter(({ matcher }) => matches(matcher, field.name) || matches(matcher, name))
      .flatMap(({ properties }) => properties.map(({ id, value }) => [id, value] as const)),
  ) as Readonly<Record<string, unknown>>;
  const pick = <T>(id: string, fallback: T): T => (id in own ? (own[id] as T) : fallback);
  const colour = pick<{ readonly fixedColor?: string }>('color', {}).fixedColor;
  const cell = pick<{ readonly type?: string }>('custom.cellOptions', {}).type;
  const decimals = pick('decimals', defaults.decimals);
  const width = pick<number | undefined>('custom.width', undefined);
  return {
    title: pick('displayName', name),
    unit: pick('unit', defaults.unit),
    noValue: pick('noValue', defaults.noValue),
    mappings: pick('mappings', defaults.mappings ?? []),
    thresholds: pick('thresholds', defaults.thresholds)?.steps ?? NEUTRAL_THRESHOLDS,
    isHidden: pick('custom.hideFrom.viz', false),
    isLink: 'links' in own,
    ...(decimals === undefined ? {} : { decimals }),
    ...(width === undefined ? {} : { width }),
    ...(colour === undefined ? {} : { fixedColour: cssColour(colour) }),
    ...(cell === undefined ? {} : { cell }),
  };
}

/** The colour of a line or bar. */
export const colourOf = (look: Look): string => look.fixedColour ?? lineColour(look.title);

function mapped(
  value: Value,
  mappings: readonly Mapping[],
): { text?: string | undefined; color?: string | undefined } {
  const text = String(value);
  for (const { type, options } of mappings) {
    if (type === MappingType.ValueToText) {
      const result = options[text];
      if (result !== undefined) return result;
    } else if (type === MappingType.SpecialValue) {
      if (options.match.startsWith('null') && value === null) return options.result;
    } else if (new RegExp(options.pattern.slice(1, -1)).test(text)) return options.result;
  }
  return {};
}

function thresholdColour(value: Value, { thresholds }: Look): string {
  const passed = thresholds.filter(
    (step) => step.value === null || (typeof value === 'number' && value >= step.value),
  );
  return cssColour(passed.at(-1)?.color ?? 'green');
}

/** A value as Grafana writes it: mapped, else in its unit; nothing where there is none is said in words. */
export function show(value: Value, type: Field['type'], look: Look): Shown {
  const result = mapped(value, look.mappings);
  const colour = result.color === undefined ? thresholdColour(value, look) : cssColour(result.color);
  return { text: result.text ?? textOf(value, type, look), colour };
}

function textOf(value: Value, type: Field['type'], { unit, decimals, noValue }: Look): string {
  if (value === null || value === '') return noValue;
  if (typeof value === 'string') return value;
  return formatNumber(value, type === 'time' && !unit.startsWith('time:') ? 'dateTimeAsIso' : unit, decimals);
}
