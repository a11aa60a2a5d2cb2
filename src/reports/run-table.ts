import type { MinerReport, RunReport } from './run-report.ts';
import { textTable, type TextColumn } from './text-table.ts';

const score = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

const COLUMNS: readonly TextColumn<MinerReport>[] = [
  { heading: 'rank', value: ({ rank }) => String(rank ?? '–'), isNumber: true },
  { heading: 'uid', value: ({ uid }) => String(uid ?? '–'), isNumber: true },
  { heading: 'miner', value: ({ hotkey }) => shortened(hotkey, 10) },
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
    value: ({ error_type, last_error }) =>
      last_error === null ? '' : shortened(`${error_type ?? 'unknown'}: ${last_error}`, 60),
  },
];

function scoredLeads({ era5_scores }: MinerReport): string {
  return String(Object.values(era5_scores).filter((value) => value !== null).length);
}

/** The miners of a run, best first, with what was recorded, as a person reads it. */
export function formatRunReport(report: RunReport): string {
  const { run, recorded, completeness } = report;
  const seconds = run.duration_seconds === null ? '' : ` in ${run.duration_seconds.toFixed(1)} s`;
  const error = run.error === null ? [] : [`Error: ${run.error}`];
  const tables = Object.entries(recorded).map(([name, rows]) => ({ name, rows }));
  return [
    `Run ${run.id}, T0 ${run.init_time ?? 'unknown'}: ${run.status ?? 'unknown'}${seconds}`,
    ...error,
    '',
    textTable(COLUMNS, report.miners),
    '',
    textTable(
      [
        { heading: 'recorded table', value: ({ name }) => name },
        { heading: 'rows', value: ({ rows }) => String(rows), isNumber: true },
      ],
      tables,
    ),
    '',
    `Spans: ${completeness.started} started, ${completeness.recorded} recorded, ${completeness.in_flight} in flight`,
  ].join('\n');
}
