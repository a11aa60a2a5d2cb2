import type { FaultParty } from '#semconv/error-categories';
import { DASHBOARD_LINKS } from './dashboard-links.ts';
import type { Pace } from './pace.ts';
import { errorRatioName, type ErrorWindow } from './recording.ts';
import type { AlertRule } from './rule.ts';

/** Of a hundred steps, one may fail through our own fault. */
export const ERROR_BUDGET = 0.01;
/** Faults of miners and of upstream data are not under our control and do not use up our budget. */
const OURS: FaultParty = 'validator';

interface BurnRate {
  /** Burn rate: 1 uses up the budget of 30 days in 30 days. */
  readonly rate: number;
  readonly long: ErrorWindow;
  /** A twelfth of the long window: the alert resolves soon after the errors end. */
  readonly short: ErrorWindow;
}

/** 2 % of the budget of 30 days within an hour, or 5 % within six. */
const FAST: readonly BurnRate[] = [
  { rate: 14.4, long: '1h', short: '5m' },
  { rate: 6, long: '6h', short: '30m' },
];
/** 10 % within three days. */
const SLOW: readonly BurnRate[] = [{ rate: 1, long: '3d', short: '6h' }];

const burns = ({ rate, long, short }: BurnRate): string => {
  const limit = Number((rate * ERROR_BUDGET).toPrecision(6));
  const above = (window: ErrorWindow): string => `${errorRatioName(window)}{fault="${OURS}"} > ${limit}`;
  return `(${above(long)} and ${above(short)})`;
};

/** Both pairs of windows may hold at once; `max by (step)` makes one alert of them. */
const anyOf = (rates: readonly BurnRate[]): string =>
  `max by (step) (\n  ${rates.map(burns).join('\n  or ')}\n)`;

/**
 * The error budget of each step, by the burn rates that the Site Reliability Workbook recommends (Beyer et al., O'Reilly
 * 2018, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts").
 */
export const errorBudgetAlerts = ({ held }: Pace): readonly AlertRule[] => [
  {
    alert: 'BarographErrorBudgetFastBurn',
    expr: anyOf(FAST),
    for: held('2m'),
    severity: 'page',
    summary: '{{ $value | humanizePercentage }} of the {{ $labels.step }} steps fail through our own fault',
    description:
      'One percent is allowed. At this rate the budget of a month is used up within days, and forecasts go without a score.',
    dashboard: DASHBOARD_LINKS.pipeline,
  },
  {
    alert: 'BarographErrorBudgetSlowBurn',
    expr: anyOf(SLOW),
    for: held('1h'),
    severity: 'ticket',
    summary: '{{ $value | humanizePercentage }} of the {{ $labels.step }} steps fail through our own fault',
    description: 'One percent is allowed, and this has lasted for days. It will not recover by itself.',
    dashboard: DASHBOARD_LINKS.pipeline,
  },
];
