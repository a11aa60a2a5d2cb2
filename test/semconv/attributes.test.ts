import { describe, expect, it } from 'vitest';
import {
  ATTRIBUTES,
  CategorizedError,
  COMPONENT_SCORE_ATTRIBUTES,
  countsAsError,
  DECISION_ATTRIBUTES,
  ERROR_CATEGORIES,
  FAULT_OF,
  FAULT_PARTIES,
  type AttributeDefinition,
} from '#semconv';

const all: Record<string, AttributeDefinition> = {
  ...ATTRIBUTES,
  ...COMPONENT_SCORE_ATTRIBUTES,
  ...DECISION_ATTRIBUTES,
};
/** The example of an attribute as the value that a span would carry. */
const exampleOf = ({ type, example }: AttributeDefinition): unknown => {
  if (type.startsWith('int') || type === 'double') return Number(example);
  return type === 'boolean' ? example === 'true' : example;
};

describe('the attributes', () => {
  it.each(Object.entries(all))('the attributes: %s accepts its own example', (_name, definition) => {
    expect(definition.schema.safeParse(exampleOf(definition)).success).toBe(true);
  });

  it('the attributes are named in lower case with dots, in our name space or a standard one', () => {
    for (const name of Object.keys(all)) {
      expect(name).toMatch(/^(weather(\.[a-z0-9_]+)+|error\.type|http\.(request|response)\.[a-z_]+)$/);
    }
  });

  it('the attributes reject values outside their set or range, and never replace them', () => {
    const isValid = (name: keyof typeof ATTRIBUTES, value: unknown): boolean =>
      ATTRIBUTES[name].schema.safeParse(value).success;
    expect(isValid('weather.step.status', 'done')).toBe(false);
    expect(isValid('weather.miner.uid', 256)).toBe(false);
    expect(isValid('weather.miner.uid', 0)).toBe(true);
    expect(isValid('weather.run.init_time', '2026-11-23T00:00:00')).toBe(false);
    expect(isValid('weather.step.substep', 'attempt')).toBe(false);
    expect(isValid('weather.score.initial', Number.NaN)).toBe(true);
  });
});

describe('the categories of errors', () => {
  it('every error category has a party at fault', () => {
    for (const category of ERROR_CATEGORIES) expect(FAULT_PARTIES).toContain(FAULT_OF[category]);
    expect(Object.keys(FAULT_OF)).toHaveLength(ERROR_CATEGORIES.length);
  });

  it('an error counts once for a miner, where it occurred', () => {
    expect(countsAsError('communication', 'timeout')).toBe(true);
    expect(countsAsError('query', 'timeout')).toBe(false);
    expect(countsAsError('verify', 'verification_manifest')).toBe(true);
    expect(countsAsError('communication', null)).toBe(false);
  });

  it('a CategorizedError carries its category and its cause', () => {
    const cause = new Error('inner');
    const error = new CategorizedError('timeout', 'outer', { cause, retryable: true });
    expect(error).toMatchObject({ name: 'CategorizedError', category: 'timeout', retryable: true, cause });
    expect(new CategorizedError('timeout', 'outer').retryable).toBe(false);
    expect('cause' in new CategorizedError('timeout', 'outer')).toBe(false);
  });
});
