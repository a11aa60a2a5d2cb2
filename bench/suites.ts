import type { SuiteSource } from './harness/suite.ts';

/** Every suite, in the order in which they run. Each loads what it needs only when it is opened. */
export const SUITES: readonly SuiteSource[] = [
  { name: 'fields', open: async (scale) => (await import('./suites/fields.ts')).openFields(scale) },
  { name: 'leads', open: async (scale) => (await import('./suites/leads.ts')).openLeads(scale) },
];
