import { METRICS } from '#semconv/metrics';
import type { ErrorCategory } from '#semconv/error-categories';
import { DASHBOARD_LINKS } from './dashboard-links.ts';
import type { Pace } from './pace.ts';
import { by, latest, series } from './promql.ts';
import { MINERS_NEWLY_FAILING, MINERS_SUCCEEDING, VERIFICATIONS } from './recording.ts';
import { foreignLabel, type AlertRule } from './rule.ts';
import { TAMPERING_WINDOW, TOO_MANY } from './thresholds.ts';

/** Another manifest than the one that was frozen, or a file that is not the one that it lists. */
const TAMPERING = [
  'verification_hash_changed',
  'verification_chunk',
] as const satisfies readonly ErrorCategory[];

const tampering = series(METRICS.minerErrors, { error_type: TAMPERING });
/** Without the slot, which changes when a miner registers again: that makes new series, not new tampering. */
const tamperer = ['validator_id', 'miner_hotkey', 'error_type'] as const;
const tamperingBefore = (window: string): string => by('max', tamperer, `${tampering} offset ${window}`);

const failed = `sum(${VERIFICATIONS}{outcome="failed"})`;
const succeeded = `sum(${VERIFICATIONS}{outcome="succeeded"})`;

/** Alerts about miners. One failing miner pages nobody: only its own score suffers. */
export const minerAlerts = ({ held, range }: Pace): readonly AlertRule[] => [
  {
    alert: 'BarographMinerFailing',
    expr: `${latest(series(METRICS.minerConsecutiveFailures))} >= ${TOO_MANY.minerFailures}`,
    for: held('10m'),
    severity: 'ticket',
    summary:
      'The last {{ $value }} forecasts of miner {{ $labels.miner_uid }} of validator {{ $labels.validator_id }} failed',
    description: `Hotkey ${foreignLabel('miner_hotkey')}. It has no score for these runs. Other miners are judged by an alert of their own.`,
    dashboard: DASHBOARD_LINKS.miner,
  },
  {
    // Where all miners fail there is no series of those that succeed: that counts as none of them.
    alert: 'BarographManyMinersFailing',
    expr: `${MINERS_NEWLY_FAILING} >= ${TOO_MANY.failingMiners}
and ${MINERS_NEWLY_FAILING}
  / (${MINERS_NEWLY_FAILING} + (${MINERS_SUCCEEDING} or 0 * ${MINERS_NEWLY_FAILING})) > ${TOO_MANY.failingShare}`,
    for: held('15m'),
    severity: 'page',
    summary: '{{ $value }} miners of validator {{ $labels.validator_id }} that worked until lately fail',
    description:
      'That is more than a quarter of those that work. So many do not break at once: check our own side and the network first.',
    dashboard: DASHBOARD_LINKS.validatorRuns,
  },
  {
    alert: 'BarographVerificationFailures',
    expr: `${failed} >= ${TOO_MANY.failedVerifications}
and ${failed} / (${failed} + (${succeeded} or vector(0))) > ${TOO_MANY.failedVerificationShare}`,
    for: held('5m'),
    severity: 'page',
    summary: '{{ $value | humanize }} verifications failed within six hours, more than one in five',
    description:
      'What a miner hosts is not accepted, and a manifest that is not frozen within two hours of the run is never accepted later.',
    dashboard: DASHBOARD_LINKS.pipeline,
  },
  {
    alert: 'BarographHashTampering',
    expr: `(${latest(tampering)} - on (${tamperer.join(', ')}) group_left () ${tamperingBefore(range(TAMPERING_WINDOW))} > 0)
or (${latest(tampering)} unless on (${tamperer.join(', ')}) ${tamperingBefore(range(TAMPERING_WINDOW))})`,
    for: held('0s'),
    severity: 'ticket',
    summary:
      'Miner {{ $labels.miner_uid }} of validator {{ $labels.validator_id }} hosts another forecast than was frozen',
    description: `Hotkey ${foreignLabel('miner_hotkey')}, {{ $labels.error_type }}. The altered forecast gets no score. It may be a broken disk, or an attempt to improve a forecast afterwards.`,
    dashboard: DASHBOARD_LINKS.miner,
  },
];
