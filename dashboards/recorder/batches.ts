import { METRICS } from '#semconv/metrics';
import { COLOURS } from '../panels/colours.ts';
import type { Section } from '../panels/dashboard.ts';
import { promLinesPanel } from '../panels/graph-panels.ts';
import { increaseOf, perMinuteOf, quantileOf } from '../panels/promql.ts';
import { UNITS } from '../panels/units.ts';

const NO_BATCH = 'No batch was delivered in this time range';

const results = promLinesPanel({
  id: 201,
  title: 'Batches by result',
  description:
    'Batches per minute: written; retryable, which are sent again, so the database is down or busy; rejected, which are ' +
    'bisected until the spans at fault are written as dead letters.',
  unit: UNITS.perMinute,
  noValue: NO_BATCH,
  width: 8,
  height: 8,
  min: 0,
  isStacked: true,
  queries: [{ expr: perMinuteOf(METRICS.recorderBatches, { by: ['result'] }), legend: '{{result}}' }],
  fields: Object.entries(COLOURS.batchResult).map(([name, colour]) => ({ name, colour })),
});

const durations = promLinesPanel({
  id: 202,
  title: 'How long a batch takes',
  description:
    'From hand-over to the result: half of the batches, 95 and 99 of 100. Above a second: check the disk and the locks ' +
    'of the database.',
  unit: UNITS.seconds,
  noValue: NO_BATCH,
  width: 8,
  height: 8,
  min: 0,
  queries: [
    { expr: quantileOf(METRICS.recorderBatchDuration, 0.5), legend: 'half' },
    { expr: quantileOf(METRICS.recorderBatchDuration, 0.95), legend: '95 of 100' },
    { expr: quantileOf(METRICS.recorderBatchDuration, 0.99), legend: '99 of 100', exemplars: true },
  ],
});

const rows = promLinesPanel({
  id: 203,
  title: 'Rows written, by table',
  description:
    'Rows inserted or changed per minute. Component scores make the bulk when leads are scored. Folds without steps: ' +
    'a rebuild is running.',
  unit: UNITS.perMinute,
  noValue: NO_BATCH,
  width: 8,
  height: 8,
  min: 0,
  isStacked: true,
  queries: [{ expr: perMinuteOf(METRICS.recorderRowsWritten, { by: ['table'] }), legend: '{{table}}' }],
});

const dropped = promLinesPanel({
  id: 204,
  title: 'Dropped, by reason',
  description:
    'Spans that were lost over the time range, by reason. Any is too many. spool_full: enlarge the spool; otherwise check ' +
    'the disk and the log of the process.',
  unit: UNITS.count,
  noValue: 'Nothing was dropped',
  width: 8,
  height: 7,
  min: 0,
  queries: [{ expr: increaseOf(METRICS.recorderDropped, { by: ['reason'] }), legend: '{{reason}}' }],
});

const rejected = promLinesPanel({
  id: 205,
  title: 'Rejected, by reason',
  description:
    'Spans that were rejected over the time range, by reason; they are stored as dead letters below. invalid_attribute and ' +
    'missing_attribute: correct the sender.',
  unit: UNITS.count,
  noValue: 'Nothing was rejected',
  width: 8,
  height: 7,
  min: 0,
  queries: [{ expr: increaseOf(METRICS.recorderRejected, { by: ['reason'] }), legend: '{{reason}}' }],
});

const adjusted = promLinesPanel({
  id: 206,
  title: 'Adjusted values and truncated spans',
  description:
    'Values that could not be stored unchanged, by reason, and spans that lost attributes or events to the limits of ' +
    'their SDK. NaN of a score is usual; for truncated spans raise the limits at the sender.',
  unit: UNITS.count,
  noValue: 'Nothing was adjusted or truncated',
  width: 8,
  height: 7,
  min: 0,
  queries: [
    { expr: increaseOf(METRICS.adjustedValues, { by: ['reason'] }), legend: '{{reason}}' },
    { expr: increaseOf(METRICS.truncatedSpans), legend: 'truncated' },
  ],
});

export const recorderBatches: Section = {
  id: 200,
  title: 'On the way into the database',
  panels: [results, durations, rows, dropped, rejected, adjusted],
};
