import type { SuiteSource } from './harness/suite.ts';

/** Every suite, in the order in which they run. Each loads what it needs only when it is opened. */
export const SUITES: readonly SuiteSource[] = [
  { name: 'latency', open: async (scale) => (await import('./suites/latency.ts')).openLatency(scale) },
  { name: 'run', open: async (scale) => (await import('./suites/run.ts')).openRun(scale) },
  { name: 'start', open: async (scale) => (await import('./suites/start.ts')).openStart(scale) },
];
