import { beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { COLUMN_SOURCES, renderColumns } from '#scripts/columns-page';
import { ATTRIBUTES, COMPONENT_SCORE_ATTRIBUTES, DECISION_ATTRIBUTES, EVENTS } from '#semconv';
import { SPAN_FIELDS } from '#semconv/columns/column-source';
import type { ObservedSpan } from '#facts/observed-span';
import { closingSpan } from '#facts/closing';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { componentScore, endedSpan, startOfSpan, T } from '#test/support/spans';

const database = useTestDatabase();

/** A line of the page, with the table of its section. */
interface Line {
  readonly table: string;
  readonly column: string;
  readonly from: readonly string[];
  readonly how: string;
}

const codesOf = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The lines of the page as a reader sees them. */
const LINES: readonly Line[] = renderColumns()
  .split(/^### /m)
  .slice(1)
  .flatMap((section) =>
    [...section.matchAll(/^\| `(\w+)` \| (.*) \| (.*) \|$/gm)].map(
      ([, column = '', from = '', how = '']) => ({
        table: codesOf(section)[0] ?? '',
        column,
        from: codesOf(from),
        how,
      }),
    ),
  );
const nameOf = ({ table, column }: Pick<Line, 'table' | 'column'>): string => `${table}.${column}`;
const TABLES = Object.keys(COLUMN_SOURCES);

/** Counted in the books of its sender (`emitters`), and in no recorded row. */
const SEQUENCE = 'weather.emitter.sequence';
const ATTRIBUTE_NAMES = [ATTRIBUTES, COMPONENT_SCORE_ATTRIBUTES, DECISION_ATTRIBUTES].flatMap((set) =>
  Object.keys(set),
);

async function catalogColumns(): Promise<readonly string[]> {
  const rows = await queryRows<Pick<Line, 'table' | 'column'>>(
    database.pool,
    `select table_name as "table", column_name as "column" from information_schema.columns
     where table_schema = 'public' and table_name = any ($1)`,
    [TABLES],
  );
  return rows.map(nameOf);
}

describe('the page of columns', () => {
  it('every column of the recorded tables in the catalog has exactly one line', async () => {
    expect(LINES.map(nameOf).sort()).toEqual([...(await catalogColumns())].sort());
    expect(new Set(TABLES)).toEqual(
      new Set([
        'weather_forecast_runs',
        'weather_miner_responses',
        'weather_forecast_stats',
        'weather_forecast_steps',
        'weather_forecast_component_scores',
        'miner_stats',
        'validator_job_logs',
      ]),
    );
  });

  it('no line names a column, an attribute, an event or a field of the span that does not exist', async () => {
    const known = new Set([
      ...(await catalogColumns()),
      ...ATTRIBUTE_NAMES,
      ...Object.values(EVENTS),
      ...SPAN_FIELDS,
    ]);
    expect(LINES.flatMap(({ from }) => from).filter((name) => !known.has(name))).toEqual([]);
    const named = LINES.flatMap(({ how }) => codesOf(how)).filter((code) => /^\w+\.\w+$/.test(code));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  });

  it('every attribute but the number for the books, and every event but the one for traces alone, fills a column', () => {
    const used = new Set(LINES.flatMap(({ from }) => from));
    expect([...ATTRIBUTE_NAMES, ...Object.values(EVENTS)].filter((name) => !used.has(name))).toEqual([
      SEQUENCE,
      EVENTS.retryScheduled,
    ]);
  });
});

/** What no step of the recorded runs reports. */
const MORE: readonly ObservedSpan[] = [
  endedSpan({
    step: 'era5',
    run: 5,
    lead: 24,
    at: 50_000_000,
    attributes: {
      'weather.poll.progress': 45,
      'weather.response.wire_status': 'fetch_accepted',
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'weather.score.reason': 'acc is not finite',
      'weather.truth.due_time': '2026-11-29T06:00:00Z',
      'weather.profile.cpu_ms': 12.5,
      'weather.profile.event_loop_delay_ms': 2,
      'weather.profile.bytes_read': 5120,
      'weather.profile.peak_memory_bytes': 1_000_000,
      'weather.score.era5': 0.5,
      'weather.score.scorer_version': '1',
      'weather.score.inputs': '[{"role":"truth","kind":"http","expver":"0005"}]',
      'weather.run.target_time': '2026-11-25T00:00:00Z',
    },
    events: [
      componentScore({
        score_type: 'era5',
        variable_name: 'z',
        pressure_level: 500,
        valid_time: '2026-11-24T00:00:00Z',
        rmse: 2,
        acc: 0.5,
        skill_score: 0.25,
        forecast_digest: '9f2c11d0'.repeat(8),
        truth_digest: '11d09f2c'.repeat(8),
        reference_digest: '2c11d09f'.repeat(8),
        climatology_digest: 'd09f2c11'.repeat(8),
      }),
    ],
  }),
  endedSpan({
    step: 'verify',
    run: 5,
    at: 51_000_000,
    maxAttempts: 4,
    error: { type: 'http_5xx', message: 'status 500' },
    attributes: {
      'weather.error.class': 'HttpError',
      'weather.error.code': 'E500',
      'weather.error.fingerprint': '9f2c11d0a4b7',
      'weather.error.causes': '[{"type":"Error"}]',
      'weather.error.retryable': false,
      'weather.error.http_status': 500,
    },
  }),
  endedSpan({
    step: 'orchestration',
    run: 5,
    miner: null,
    at: 53_000_000,
    events: [
      {
        name: EVENTS.decision,
        timeUnixNano: T,
        attributes: {
          'weather.orchestration.decision': 'abandon_run',
          'weather.orchestration.reason': 'nothing works on it',
          'weather.orchestration.level': 'WARN',
        },
      },
    ],
  }),
  // A call whose transport does not follow from its outcome.
  endedSpan({
    step: 'communication',
    run: 5,
    at: 51_500_000,
    error: { type: 'unknown', message: 'it failed' },
    attributes: { 'weather.response.transport': 'failure' },
  }),
  // A run that ends a forecast which waits, by the fault of the validator.
  endedSpan({
    step: 'query',
    run: 6,
    at: 54_000_000,
    maxAttempts: 4,
    status: 'retry_scheduled',
    error: { type: 'timeout', message: 'no answer' },
    attributes: { 'weather.retry.next_time': '2026-11-24T12:00:00Z' },
  }),
  endedSpan({
    step: 'orchestration',
    run: 6,
    miner: null,
    at: 55_000_000,
    attributes: {
      'weather.run.status': 'failed',
      'weather.run.error_message': 'The user ended it.',
      'weather.run.error_type': 'validator_internal',
    },
  }),
  // A retry that another worker had committed before the end of this attempt.
  endedSpan({
    step: 'verify',
    run: 7,
    at: 56_000_000,
    maxAttempts: 4,
    status: 'retry_scheduled',
    error: { type: 'http_5xx', message: 'status 503' },
    attributes: { 'weather.retry.next_time': '2026-11-24T12:00:00Z' },
  }),
  endedSpan({
    step: 'verify',
    run: 7,
    at: 55_999_000,
    durationMs: 9000,
    maxAttempts: 4,
    instance: 'instance-2',
    attributes: { 'weather.step.superseded': true },
  }),
  closingSpan(startOfSpan(endedSpan({ step: 'poll', run: 5, at: 52_000_000, maxAttempts: 20 })), {
    reason: 'heartbeat_lost',
    at: Number(T / 1000n) + 52_500_000_000,
  }),
];
const SPANS = [...RECORDED_RUNS, ...MORE];

const REMOVABLE = ATTRIBUTE_NAMES.filter((name) => name !== 'weather.validator.hotkey' && name !== SEQUENCE);

/** The spans of a validator, without one attribute of theirs and of their events. */
function spansOf(validator: string, attribute?: string): readonly ObservedSpan[] {
  const rest = (attributes: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== attribute));
  return SPANS.map((span) => ({
    ...span,
    traceSampled: true,
    attributes: rest(span.attributes),
    resource: { ...span.resource, 'weather.validator.hotkey': validator },
    events: span.events.map((event) => ({ ...event, attributes: rest(event.attributes) })),
  }));
}

/** The values of a column, row by row. */
type Columns = ReadonlyMap<string, readonly unknown[]>;

const KEYS: Readonly<Record<string, string>> = {
  weather_forecast_runs: 'id',
  weather_miner_responses: 'run_id, miner_hotkey',
  validator_job_logs: 'trace_id, span_id, decision_index',
  weather_forecast_stats: 'run_id, miner_hotkey',
  weather_forecast_steps: 'trace_id, span_id',
  weather_forecast_component_scores:
    'run_id, miner_hotkey, score_type, lead_hours, variable_name, pressure_level',
  miner_stats: 'miner_hotkey',
};

/** What was recorded of a validator, by column. */
async function columnsOfValidator(hotkey: string): Promise<Columns> {
  const columns = new Map<string, unknown[]>();
  for (const table of TABLES) {
    const rows = await queryRows<{ row: Readonly<Record<string, unknown>> }>(
      database.pool,
      `select to_jsonb(row) as row from ${table} as row
       where validator_id = (select id from validators where hotkey = $1) order by ${KEYS[table] ?? ''}`,
      [hotkey],
    );
    for (const { row } of rows)
      for (const [column, value] of Object.entries(row)) {
        const name = `${table}.${column}`;
        columns.set(name, [...(columns.get(name) ?? []), value]);
      }
  }
  return columns;
}

/** Columns that name the validator, or hold the state behind the others. */
const isCompared = (name: string): boolean => !/\.(validator_id|validator_hotkey|fold)$/.test(name);

const changedColumns = (before: Columns, after: Columns): readonly string[] =>
  [...before.keys()].filter(
    (name) => isCompared(name) && JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name)),
  );

/** The columns that follow from a source, also by other columns. */
function columnsFrom(source: string, found = new Set<string>()): ReadonlySet<string> {
  for (const line of LINES.filter(({ from }) => from.includes(source))) {
    if (found.has(nameOf(line))) continue;
    found.add(nameOf(line));
    columnsFrom(nameOf(line), found);
  }
  return found;
}

describe('what the page says of each column', () => {
  let whole: Columns;
  beforeAll(async () => {
    const exporter = createPostgresExporter({ pool: database.pool, now: () => Date.UTC(2027, 0, 1) });
    const variants = [spansOf('5Whole'), ...REMOVABLE.map((attribute) => spansOf(attribute, attribute))];
    for (const spans of variants) expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
    whole = await columnsOfValidator('5Whole');
  });

  it('a column that is said not to be written is null, and every other column is filled', () => {
    const isFilled = (name: string): boolean => whole.get(name)?.some((value) => value !== null) ?? false;
    expect(LINES.map(nameOf).filter((name) => !isFilled(name))).toEqual(
      LINES.filter(({ how }) => how.startsWith('Not written')).map(nameOf),
    );
  });

  it.each(REMOVABLE)('spans without %s differ only in the columns that name it', async (attribute) => {
    const after = await columnsOfValidator(attribute);
    const steps = 'weather_forecast_steps.span_id';
    // Some spans are rejected or no steps without it: it belongs to every column.
    if (after.get(steps)?.length !== whole.get(steps)?.length) return;
    const changed = changedColumns(whole, after);
    const follows = columnsFrom(attribute);
    expect(changed.filter((name) => !follows.has(name))).toEqual([]);
    expect(changed).not.toEqual([]);
  });
});
