import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { translate } from '#facts/translate';
import { renderPythonConstants } from '#scripts/vocabulary/python-constants';
import { ALL_ATTRIBUTES, renderRegistry } from '#scripts/vocabulary/registry';
import { EVENTS, STEP_NAMES } from '#semconv';
import { WEATHER_SCHEMA } from '#semconv/instrumentation-scope';
import { componentScore, endedSpan, T } from '#test/support/spans';
import {
  bumpBetween,
  isEnough,
  neededBump,
  type AttributeRule,
  type Vocabulary,
} from './support/version-rule.ts';

const level = z.union([z.string(), z.object({ conditionally_required: z.string() })]);
const registrySchema = z.object({
  schema_url: z.url(),
  version: z.string(),
  groups: z.array(
    z.object({
      id: z.string(),
      attributes: z.array(
        z.object({
          id: z.string().optional(),
          ref: z.string().optional(),
          type: z
            .union([z.string(), z.object({ members: z.array(z.object({ value: z.string() })) })])
            .optional(),
          examples: z.array(z.unknown()).optional(),
          requirement_level: level.optional(),
          annotations: z
            .object({
              unit: z.string().optional(),
              pattern: z.string().optional(),
              minimum: z.number().optional(),
              maximum: z.number().optional(),
            })
            .optional(),
        }),
      ),
    }),
  ),
});
type Registry = z.output<typeof registrySchema>;
const registry = registrySchema.parse(JSON.parse(renderRegistry()));

const groupOf = ({ groups }: Registry, id: string): Registry['groups'][number]['attributes'] =>
  groups.find((group) => group.id === id)?.attributes ?? [];
const levelIn = (group: string, name: string): unknown =>
  groupOf(registry, group).find(({ ref }) => ref === name)?.requirement_level;

/** What senders depend on, read from a registry as it is checked in. */
function vocabularyOf(read: Registry): Vocabulary {
  const required = new Set(
    read.groups.flatMap(({ attributes }) =>
      attributes.flatMap(({ ref, requirement_level }) => (requirement_level === 'required' ? [ref] : [])),
    ),
  );
  const rules = groupOf(read, 'registry.weather').map(
    ({ id = '', type = '', annotations = {} }): [string, AttributeRule] => {
      const { unit = '', pattern, minimum, maximum } = annotations;
      return [
        id,
        {
          type: typeof type === 'string' ? type : type.members.map(({ value }) => value),
          unit,
          isRequired: required.has(id),
          ...(pattern === undefined ? {} : { pattern }),
          ...(minimum === undefined ? {} : { minimum }),
          ...(maximum === undefined ? {} : { maximum }),
        },
      ];
    },
  );
  return { version: read.version, attributes: Object.fromEntries(rules) };
}

const PINNED = join(import.meta.dirname, 'fixtures');
/** The vocabularies of the versions so far; the newest is the one that the current one is held against. */
const pinned = readdirSync(PINNED)
  .filter((name) => name.startsWith('weather-'))
  .map((name) => JSON.parse(readFileSync(join(PINNED, name), 'utf8')) as Vocabulary);

describe('The vocabulary for machines', () => {
  it('has every attribute with its type, its example as a value of that type, and the closed sets', () => {
    const attributes = groupOf(registry, 'registry.weather');
    expect(attributes.map(({ id }) => id)).toEqual(Object.keys(ALL_ATTRIBUTES));
    for (const { id = '', type, examples = [] } of attributes) {
      const definition = ALL_ATTRIBUTES[id];
      if (typeof type === 'string') expect(['string', 'int', 'double', 'boolean'], id).toContain(type);
      else if (definition !== undefined && 'options' in definition.schema)
        expect(type?.members.map(({ value }) => value)).toEqual(definition.schema.options);
      if (typeof type === 'string' && type !== 'string')
        expect(typeof examples[0], id).toBe(type === 'boolean' ? 'boolean' : 'number');
    }
    expect(groupOf(registry, 'registry.weather').find(({ id }) => id === 'weather.lead_hours')).toMatchObject(
      {
        type: 'int',
        annotations: { unit: 'h', minimum: 0, maximum: 1000 },
      },
    );
  });

  it('says required of exactly what a step is refused without', () => {
    const whole = endedSpan({ step: 'poll', attributes: { 'weather.validator.hotkey': '5Validator' } });
    for (const { ref = '' } of groupOf(registry, 'span.weather.step').filter(
      ({ ref }) => ref !== 'weather.step.name',
    )) {
      const attributes = Object.fromEntries(
        Object.entries(whole.attributes).filter(([name]) => name !== ref),
      );
      const isRefused = translate({ ...whole, resource: {}, attributes }).kind === 'rejected';
      const wanted = levelIn('span.weather.step', ref);
      expect(wanted === 'required' || ref === 'weather.miner.hotkey', ref).toBe(isRefused);
    }
    expect(levelIn('span.weather.step', 'weather.step.name')).toBe('required');
    expect(levelIn('span.weather.step', 'weather.miner.hotkey')).toEqual({
      conditionally_required: 'For each step but seed, orchestration, aggregate.',
    });
  });

  it('says required of exactly what an event is refused without', () => {
    const score = {
      score_type: 'era5',
      variable_name: 't',
      valid_time: '2026-11-24T00:00:00Z',
      rmse: 1,
      pressure_level: 500,
    };
    for (const name of Object.keys(score)) {
      const event = componentScore(Object.fromEntries(Object.entries(score).filter(([key]) => key !== name)));
      const isRefused = translate(endedSpan({ step: 'era5', lead: 24, events: [event] })).kind === 'rejected';
      expect(
        levelIn(`event.${EVENTS.componentScore}`, `weather.component.${name}`) === 'required',
        name,
      ).toBe(isRefused);
    }
    const decision = { name: EVENTS.decision, timeUnixNano: T, attributes: {} };
    expect(translate(endedSpan({ step: 'orchestration', events: [decision] })).kind).toBe('rejected');
    expect(levelIn(`event.${EVENTS.decision}`, 'weather.orchestration.decision')).toBe('required');
  });

  it('has a schema URL that ends in its version', () => {
    expect(registry).toMatchObject({ schema_url: WEATHER_SCHEMA.url, version: WEATHER_SCHEMA.version });
    expect(WEATHER_SCHEMA.url).toMatch(
      new RegExp(`/docs/vocabulary/weather-${WEATHER_SCHEMA.version}\\.json$`),
    );
  });

  it('its version has gone as far as its changes need; a new version gets a file in fixtures', () => {
    const current = vocabularyOf(registry);
    expect(pinned.map(({ version }) => version)).toContain(current.version);
    for (const before of pinned) {
      const [made, needed] = [bumpBetween(before.version, current.version), neededBump(before, current)];
      expect(isEnough(made, needed), `${before.version}: made ${made}, needed ${needed}`).toBe(true);
    }
  });

  it('a removed value, a narrower range, another unit and a new duty are a major version; additions are a minor one', () => {
    const before = vocabularyOf(registry);
    const changed = (name: string, change: Partial<AttributeRule>): Vocabulary => {
      const rule = before.attributes[name];
      if (rule === undefined) throw new Error(`no attribute ${name}`);
      return { ...before, attributes: { ...before.attributes, [name]: { ...rule, ...change } } };
    };
    const fewer = Object.fromEntries(
      Object.entries(before.attributes).filter(([name]) => name !== 'weather.miner.uid'),
    );
    expect(neededBump(before, before)).toBe('none');
    expect(neededBump(before, { ...before, attributes: fewer })).toBe('major');
    expect(neededBump({ ...before, attributes: fewer }, before)).toBe('minor');
    expect(neededBump(before, changed('weather.step.name', { type: STEP_NAMES.slice(1) }))).toBe('major');
    expect(neededBump(before, changed('weather.step.name', { type: [...STEP_NAMES, 'archive'] }))).toBe(
      'minor',
    );
    expect(neededBump(before, changed('weather.miner.uid', { maximum: 100 }))).toBe('major');
    expect(neededBump(before, changed('weather.miner.uid', { maximum: 4095 }))).toBe('minor');
    expect(neededBump(before, changed('weather.hosting.latency_ms', { unit: 's' }))).toBe('major');
    expect(neededBump(before, changed('weather.stage', { isRequired: true }))).toBe('major');
  });
});

describe('The constants for Python', () => {
  const module = renderPythonConstants();

  it('has a constant of each attribute and event, and an enum of each closed set', () => {
    for (const name of Object.keys(ALL_ATTRIBUTES))
      expect(module).toContain(`\n${name.replaceAll('.', '_').toUpperCase()}: Final = "${name}"\n`);
    for (const name of Object.values(EVENTS)) expect(module).toContain(`: Final = "${name}"\n`);
    expect(module).toContain('class WeatherStepNameValues(Enum):');
    for (const name of STEP_NAMES) expect(module).toContain(`    ${name.toUpperCase()} = "${name}"\n`);
    expect(module).toContain(`VERSION: Final = "${WEATHER_SCHEMA.version}"`);
  });

  it('each name is an identifier and stands once, so that the module can be imported', () => {
    const names = [...module.matchAll(/^(\w+): Final/gm)].map(([, name = '']) => name);
    const classes = [...module.matchAll(/^class (\w+)\(/gm)].map(([, name = '']) => name);
    expect(new Set([...names, ...classes]).size).toBe(names.length + classes.length);
    for (const body of module.split(/^class /m).slice(1)) {
      const members = [...body.matchAll(/^ {4}(\w+) = /gm)].map(([, name = '']) => name);
      expect(new Set(members).size).toBe(members.length);
      for (const member of members) expect(member).toMatch(/^[A-Z_][A-Z0-9_]*$/);
    }
  });
});
