import type { SuiteSource } from './harness/suite.ts';

/** Every suite, in running order. Modules are loaded lazily, when a suite is opened. */
export const SUITES: readonly SuiteSource[] = [
  { name: 'rows', open: async (scale) => (await import('./suites/rows.ts')).openRows(scale) },
  {
    name: 'components',
    open: async (scale) => (await import('./suites/components.ts')).openComponents(scale),
  },
  { name: 'history', open: async (scale) => (await import('./suites/history.ts')).openHistory(scale) },
  { name: 'backlog', open: async (scale) => (await import('./suites/backlog.ts')).openBacklog(scale) },
  { name: 'scrape', open: async (scale) => (await import('./suites/scrape.ts')).openScrape(scale) },
  { name: 'steps', open: async (scale) => (await import('./suites/steps.ts')).openSteps(scale) },
  { name: 'fields', open: async (scale) => (await import('./suites/fields.ts')).openFields(scale) },
  {
    name: 'data-structures',
    open: async (scale) => (await import('./suites/data-structures.ts')).openDataStructures(scale),
  },
  { name: 'leads', open: async (scale) => (await import('./suites/leads.ts')).openLeads(scale) },
  { name: 'latency', open: async (scale) => (await import('./suites/latency.ts')).openLatency(scale) },
  { name: 'ingest', open: async (scale) => (await import('./suites/ingest.ts')).openIngest(scale) },
  { name: 'run', open: async (scale) => (await import('./suites/run.ts')).openRun(scale) },
  { name: 'start', open: async (scale) => (await import('./suites/start.ts')).openStart(scale) },
];
