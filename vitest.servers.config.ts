import { defineConfig, mergeConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

/** The tests against real servers, each started by its test. A part whose programs are absent says so and is skipped. */
export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/servers/**/*.test.ts'],
      testTimeout: 180_000,
      hookTimeout: 180_000,
      // Servers and what they watch share this machine.
      maxWorkers: 1,
    },
  }),
);
