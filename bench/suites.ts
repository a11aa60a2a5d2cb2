import type { SuiteSource } from './harness/suite.ts';

/** Every suite, in the order in which they run. Each loads what it needs only when it is opened. */
export const SUITES: readonly SuiteSource[] = [
  { name: 'steps', open: async (scale) => (await import('./suites/steps.ts')).openSteps(scale) },
];
