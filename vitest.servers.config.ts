import { defineConfig, mergeConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

/** Checks against real servers and at full size; they take minutes. */
export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/servers/**/*.test.ts'],
      testTimeout: 0,
      hookTimeout: 0,
      // Each of them fills the machine by itself, and measures.
      maxWorkers: 1,
    },
  }),
);
