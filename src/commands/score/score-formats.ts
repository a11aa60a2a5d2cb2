import { textTable, type TextColumn } from '#reports/text-table';
import type { ScoreRow } from './score-stores.ts';

/** How rows are printed. */
export const SCORE_FORMATS = ['table', 'json', 'csv'] as const;
export type ScoreFormat = (typeof SCORE_FORMATS)[number];

/** Formats rows as one text. */
export const formatScores: Readonly<Record<ScoreFormat, (rows: readonly ScoreRow[]) => string>> = {
  table: scoreTable,
  json: (rows) => JSON.stringify(rows, null, 1),
  csv: scoreCsv,
};

const CSV_COLUMNS = [
  ...(['convention', 'lead_hours', 'valid_time_utc', 'variable', 'pressure_level'] as const),
  ...(['mse', 'rmse', 'mae', 'bias', 'acc', 'skill_score_gfs', 'skill_score_climatology'] as const),
  ...(['plain_skill_score_gfs', 'plain_skill_score_climatology', 'coverage'] as const),
  ...(['unit_fix', 'failed_check', 'reason'] as const),
] satisfies readonly (keyof ScoreRow)[];

/** Comma-separated values (RFC 4180) with every column in every case, so that files of several calls can be joined. */
function scoreCsv(rows: readonly ScoreRow[]): string {
  const lines = rows.map((row) => CSV_COLUMNS.map((name) => csvCell(row[name])).join(','));
  return [CSV_COLUMNS.join(','), ...lines].join('\n');
}

function csvCell(value: string | number | null | undefined): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const SMALLEST_PLAIN = 0.01;

/** Four digits; an exponent where they would not fit into seven characters. */
function shortNumber(value: number): string {
  if (value === 0 || Math.abs(value) >= SMALLEST_PLAIN) {
    const text = value.toPrecision(4);
    return text.length <= 7 ? text : value.toPrecision(3);
  }
  return value.toExponential(1);
}

const number = (
  heading: string,
  value: (row: ScoreRow) => number | null,
  format: (known: number) => string = shortNumber,
): TextColumn<ScoreRow> => ({
  heading,
  value: (row) => {
    const known = value(row);
    return known === null ? '–' : format(known);
  },
  isNumber: true,
});

/** A ratio. Six characters at most, as far as ratios are those of forecasts. */
const ratio = (heading: string, value: (row: ScoreRow) => number | null): TextColumn<ScoreRow> =>
  number(heading, value, (known) => (Math.abs(known) < 10 ? known.toFixed(3) : known.toPrecision(4)));

const COLUMNS: readonly TextColumn<ScoreRow>[] = [
  {
    heading: 'field',
    value: ({ variable, pressure_level: level }) => (level === undefined ? variable : `${variable} ${level}`),
  },
  number('rmse', (row) => row.rmse),
  number('mae', (row) => row.mae),
  number('bias', (row) => row.bias),
  ratio('acc', (row) => row.acc),
  ratio('gfs', (row) => row.skill_score_gfs),
  ratio('gfs*', (row) => row.plain_skill_score_gfs),
  ratio('clim', (row) => row.skill_score_climatology),
  ratio('clim*', (row) => row.plain_skill_score_climatology),
  // Cut, not rounded: 99.99 % must not read as the whole truth.
  number(
    'cover',
    (row) => row.coverage,
    (share) => `${Math.floor(share * 100)}%`,
  ),
];

const FAILED_CHECK: TextColumn<ScoreRow> = {
  heading: 'failed check',
  value: ({ failed_check: check }) => check ?? '',
};

const LEGEND =
  'gfs, clim: skill against reference and climatology, mean error removed first;\n' +
  '*: plain skill, 1 - mse / mse of that. cover: share of the truth that is scored.';

/** At most 80 columns, unless a check failed: a line for each valid time, then its fields. */
function scoreTable(rows: readonly ScoreRow[]): string {
  const hasFailed = rows.some((row) => row.failed_check !== undefined);
  const [headings = '', rule = '', ...lines] = textTable(
    hasFailed ? [...COLUMNS, FAILED_CHECK] : COLUMNS,
    rows,
  ).split('\n');
  const body = rows.flatMap((row, index) => {
    const time = describeTime(row);
    const before = rows[index - 1];
    const isNew = before === undefined || describeTime(before) !== time;
    return [...(isNew ? [time] : []), lines[index] ?? ''];
  });
  const reasons = [
    ...new Set(rows.flatMap((row) => (row.failed_check === undefined ? (row.reason ?? []) : []))),
  ];
  const fixes = [...new Set(rows.flatMap((row) => (row.unit_fix === undefined ? [] : [unitText(row)])))];
  return [headings, rule, ...body, LEGEND, ...fixes, ...reasons].join('\n');
}

const unitText = ({ variable, unit_fix: fix }: ScoreRow): string =>
  `${variable} of the forecast is in another unit than its store says: scored with ${fix}.`;

const describeTime = ({ valid_time_utc: time, lead_hours: lead, convention }: ScoreRow): string =>
  time +
  (lead === undefined ? '' : `, lead ${lead} h`) +
  (convention === undefined ? '' : `, as ${convention}`);
