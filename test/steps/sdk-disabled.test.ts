import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const definition = { name: 'query', substep: 'initiate_fetch' } as const;

describe('OTEL_SDK_DISABLED', () => {
  beforeEach(() => {
    vi.resetModules();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each(['true', 'TRUE', ' True '])(
    'OTEL_SDK_DISABLED: %j makes a step the function itself',
    async (value) => {
      vi.stubEnv('OTEL_SDK_DISABLED', value);
      const { step } = await import('#steps');
      const fn = (): number => 1;
      expect(step(definition, fn)).toBe(fn);
      expect(() => step({ ...definition, substep: 'nonsense' }, fn)).toThrow(/nonsense/);
    },
  );

  it.each(['false', '1', ''])('OTEL_SDK_DISABLED: %j leaves steps as they are', async (value) => {
    vi.stubEnv('OTEL_SDK_DISABLED', value);
    const { step } = await import('#steps');
    const fn = (): number => 1;
    expect(step(definition, fn)).not.toBe(fn);
    expect(step(definition, fn)()).toBe(1);
  });
});
