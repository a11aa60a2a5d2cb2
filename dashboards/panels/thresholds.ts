import {
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Threshold,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** Colour steps in ascending order; the first has no lower bound. */
export type Thresholds = readonly [
  first: string,
  ...steps: readonly (readonly [from: number, colour: string])[],
];

/** For values that are neither good nor bad. */
export const NEUTRAL: Thresholds = ['blue'];
/** For a number that must be 0. */
export const ZERO_IS_RIGHT: Thresholds = ['green', [1e-9, 'red']];
/** For a number that is usually 0, and worth checking above. */
export const ZERO_IS_USUAL: Thresholds = ['green', [1e-9, 'orange']];
/** For a share or a score of which 1 is best. */
export const ONE_IS_BEST: Thresholds = ['red', [0.25, 'orange'], [0.5, 'yellow'], [0.75, 'green']];
/** For skill: below 0 a forecast is worse than its reference. */
export const SKILL: Thresholds = ['red', [0, 'yellow'], [0.3, 'light-green'], [0.6, 'green']];

export const stepsOf = ([first, ...steps]: Thresholds): Threshold[] => [
  { value: null, color: first },
  ...steps.map(([value, color]) => ({ value, color })),
];

export const thresholdsOf = (thresholds: Thresholds): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(thresholds));
