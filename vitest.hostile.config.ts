import { defineConfig, mergeConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

/** Hostile load against the service for other programs: seconds, or minutes in its full form. */
export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: [] } },
  defineConfig({
    test: { include: ['test/hostile/**/*.test.ts'], testTimeout: 0, hookTimeout: 0, maxWorkers: 1 },
  }),
);
