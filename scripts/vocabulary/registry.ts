import { z } from 'zod';
import { RUN_LEVEL_STEPS } from '#facts/step-identity';
import {
  ATTRIBUTES,
  COMPONENT_SCORE_ATTRIBUTES,
  DECISION_ATTRIBUTES,
  ERA5_LEAD_HOURS,
  EVENTS,
  FAULT_OF,
  PRESSURE_LEVELS_HPA,
  REQUIRED_ATTRIBUTES,
  STEP_NAMES,
  SUBSTEPS,
  VARIABLES,
  type AttributeDefinition,
} from '#semconv';
import { WEATHER_SCHEMA } from '#semconv/instrumentation-scope';

export type Definitions = Readonly<Record<string, AttributeDefinition>>;

/** The JSON Schema of a value, as zod writes it. NaN is a number that JSON has no name for. */
interface ValueSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const schemaOf = ({ schema }: AttributeDefinition): ValueSchema => {
  const whole = z.toJSONSchema(schema, { unrepresentable: 'any' }) as ValueSchema & {
    readonly anyOf?: readonly ValueSchema[];
  };
  return whole.anyOf?.[0] ?? whole;
};

/** The type of an attribute in OpenTelemetry's registry: a name, or the members of a closed set. */
export function typeOf(definition: AttributeDefinition): string | readonly string[] {
  const { type, enum: values } = schemaOf(definition);
  if (values !== undefined) return values;
  return { integer: 'int', number: 'double' }[type ?? ''] ?? type ?? 'string';
}

const FORMATS: Readonly<Record<string, string>> = {
  'string (ISO 8601)': 'date-time',
  'string (JSON)': 'json',
};

/** What the registry of OpenTelemetry has no member for. */
function annotationsOf(definition: AttributeDefinition): object {
  const { pattern, minimum, maximum } = schemaOf(definition);
  const { unit, type, cardinality } = definition;
  const format = FORMATS[type];
  return {
    ...(unit === '' ? {} : { unit }),
    ...(format === undefined ? {} : { format }),
    ...(pattern === undefined || format !== undefined ? {} : { pattern }),
    ...(minimum === undefined || minimum === -SAFE ? {} : { minimum }),
    ...(maximum === undefined || maximum === SAFE ? {} : { maximum }),
    cardinality,
  };
}

const isNumeric = (type: string | readonly string[]): boolean => type === 'int' || type === 'double';

function attribute([id, definition]: readonly [string, AttributeDefinition]): object {
  const type = typeOf(definition);
  const { example, brief } = definition;
  return {
    id,
    type: typeof type === 'string' ? type : { members: type.map((value) => ({ id: value, value })) },
    brief,
    examples: [isNumeric(type) ? Number(example) : type === 'boolean' ? example === 'true' : example],
    stability: 'stable',
    annotations: annotationsOf(definition),
  };
}

const CONDITIONS: Readonly<Record<string, string>> = {
  'weather.miner.hotkey': `For each step but ${RUN_LEVEL_STEPS.join(', ')}.`,
  'weather.lead_hours': `With an event ${EVENTS.componentScore}.`,
};

const reference =
  (required: readonly string[]) =>
  (ref: string): object => {
    if (required.includes(ref)) return { ref, requirement_level: 'required' };
    const condition = CONDITIONS[ref];
    const level = condition === undefined ? 'recommended' : { conditionally_required: condition };
    return { ref, requirement_level: level };
  };

const event = (
  name: string,
  brief: string,
  [attributes, required]: readonly [Definitions, readonly string[]],
): object => ({
  id: `event.${name}`,
  type: 'event',
  name,
  brief,
  stability: 'stable',
  attributes: Object.keys(attributes).map(reference(required)),
});

/** Every table of attributes, in the order in which they are written. */
export const ALL_ATTRIBUTES: Definitions = {
  ...ATTRIBUTES,
  ...COMPONENT_SCORE_ATTRIBUTES,
  ...DECISION_ATTRIBUTES,
};

/** The vocabulary for machines, in the shape of OpenTelemetry's registry of attributes, and the sets beside it. */
export function renderRegistry(): string {
  const { step, componentScore, decision } = REQUIRED_ATTRIBUTES;
  const registry = {
    schema_url: WEATHER_SCHEMA.url,
    version: WEATHER_SCHEMA.version,
    groups: [
      {
        id: 'registry.weather',
        type: 'attribute_group',
        brief:
          'Every attribute that Barograph reads; others of the namespace weather. are counted as unknown.',
        attributes: Object.entries(ALL_ATTRIBUTES).map(attribute),
      },
      {
        id: 'span.weather.step',
        type: 'span',
        brief:
          'One execution of a step; weather.validator.hotkey may be an attribute of the resource instead.',
        stability: 'stable',
        attributes: Object.keys(ATTRIBUTES).map(reference(step)),
        events: Object.values(EVENTS),
      },
      event(EVENTS.componentScore, 'The scores of one variable on one level.', [
        COMPONENT_SCORE_ATTRIBUTES,
        componentScore,
      ]),
      event(EVENTS.decision, 'One decision of the orchestrator.', [DECISION_ATTRIBUTES, decision]),
    ],
    sets: {
      substeps: Object.fromEntries(STEP_NAMES.map((name) => [name, SUBSTEPS[name]])),
      fault_of_error_type: FAULT_OF,
      variables: VARIABLES,
      pressure_levels_hpa: PRESSURE_LEVELS_HPA,
      era5_lead_hours: ERA5_LEAD_HOURS,
    },
  };
  return `${JSON.stringify(registry, null, 2)}\n`;
}
