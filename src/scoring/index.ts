/** Forecast scores: pure functions, numbers in, numbers out. */
export * from './clone-penalty.ts';
export * from './day1-score.ts';
export * from './era5-gates.ts';
export * from './field-scores.ts';
export * from './forecast-score.ts';
export * from './latitude-weights.ts';
export * from './lead-score.ts';
export * from './level-aggregation.ts';
export * from './mean.ts';
export * from './sanity-checks.ts';
export * from './skill-score.ts';
export * from './thickness-weights.ts';
export * from './unit-fixes.ts';
