import { defineConfig, mergeConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

/** The fault tests: programs that are killed, databases that go away. They take minutes in their full form. */
export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/faults/**/*.test.ts'],
      testTimeout: 0,
      hookTimeout: 0,
      // Each of them fills the machine by itself, and measures.
      maxWorkers: 1,
      maxConcurrency: 4,
    },
  }),
);
