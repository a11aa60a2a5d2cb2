import { printableValue } from '#semconv/printable-text';
import type { MinerReport, RunReport } from './run-report.ts';
import { textTable, type TextColumn } from './text-table.ts';

/** Widest line, characters. */
const WIDTH = 140;
/** An SS58 address, in full. */
const HOTKEY_LENGTH = 48;

const score = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

const COLUMNS: readonly TextColumn<MinerReport>[] = [
  { heading: 'rank', value: ({ rank }) => String(rank ?? '–'), isNumber: true },
  { heading: 'uid', value: ({ uid }) => String(uid ?? '–'), isNumber: true },
  { heading: 'miner', value: ({ hotkey }) => shortened(hotkey, 8) },
  { heading: 'plays', value: ({ profile }) => profile ?? '' },
  { heading: 'forecast', value: ({ forecast_status }) => forecast_status },
  { heading: 'stage', value: ({ stage }) => stage ?? '–' },
  { heading: 'score', value: ({ overall_forecast_score }) => score(overall_forecast_score), isNumber: true },
  { heading: 'day1', value: ({ day1_score }) => score(day1_score), isNumber: true },
  { heading: 'era5', value: ({ era5_combined_score }) => score(era5_combined_score), isNumber: true },
  { heading: 'leads', value: scoredLeads, isNumber: true },
  { heading: 'acc', value: ({ avg_acc }) => score(avg_acc), isNumber: true },
  { heading: 'retries', value: ({ retries }) => String(retries), isNumber: true },
  {
    heading: 'last error',
    value: ({ error_type, last_error }) => (last_error === null ? '' : (error_type ?? 'unknown')),
  },
];

function scoredLeads({ era5_scores }: MinerReport): string {
  return String(Object.values(era5_scores).filter((value) => value !== null).length);
}

/** The report of a run as text: the miners, best first, and the recorded rows; at most 140 characters wide. */
export function formatRunReport(recorded: RunReport): string {
  const report = printableValue(recorded);
  const { run, miners, completeness } = report;
  const seconds = run.duration_seconds === null ? '' : ` in ${run.duration_seconds.toFixed(1)} s`;
  const error = run.error === null ? [] : [shortened(`Error: ${run.error}`, WIDTH)];
  const isSimulated = miners.some(({ profile }) => profile != null);
  const columns = COLUMNS.filter(({ heading }) => isSimulated || heading !== 'plays');
  return [
    `Run ${run.id} of validator ${shortened(run.validator_hotkey, HOTKEY_LENGTH)}, T0 ${run.init_time ?? 'unknown'}: ${run.status ?? 'unknown'}${seconds}`,
    ...error,
    '',
    textTable(columns, miners),
    '',
    ...errorLines(miners),
    ...missingLines(miners),
    recordedTable(report),
    '',
    `Spans: ${completeness.started} started, ${completeness.recorded} recorded, ${completeness.in_flight} in flight${senderLossText(completeness)}`,
  ].join('\n');
}

const senderLossText = ({ sender_loss: loss }: RunReport['completeness']): string =>
  loss === null ? '' : `; lost before the recorder: ${loss}`;

function errorLines(miners: readonly MinerReport[]): string[] {
  const lines = miners.flatMap(({ uid, hotkey, last_error: error }) =>
    error === null ? [] : [shortened(`  miner ${uid ?? hotkey}: ${error}`, WIDTH)],
  );
  return lines.length === 0 ? [] : ['Last errors:', ...lines, ''];
}

/** Groups of variables without a score, each with the number of its forecasts. */
function missingLines(miners: readonly MinerReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { missing_variables: missing } of miners) {
    if (missing.length > 0) counts.set(missing.join(', '), (counts.get(missing.join(', ')) ?? 0) + 1);
  }
  const lines = [...counts].map(([names, count]) =>
    shortened(`  ${count} of ${miners.length} forecasts: ${names}`, WIDTH),
  );
  return lines.length === 0
    ? []
    : ['Not scored, because the forecast or its comparison data lacks it:', ...lines, ''];
}

const recordedTable = ({ recorded }: RunReport): string =>
  textTable(
    [
      { heading: 'recorded table', value: ([name]) => name },
      { heading: 'rows', value: ([, rows]) => String(rows), isNumber: true },
    ],
    Object.entries(recorded),
  );
