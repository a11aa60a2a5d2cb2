import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyForecastFold } from '#postgres/projections/forecast-fold';
import { toForecastRow, type ForecastRow } from '#postgres/projections/forecast-row';
import {
  addToHistory,
  emptyHistory,
  type ForecastHistory,
  type HistoryChange,
} from '#postgres/projections/miner-history';

type RowFields = Partial<Pick<ForecastRow, 'forecastStatus' | 'initTime' | 'completedAt' | 'combinedScore'>>;
const NOTHING = toForecastRow(emptyForecastFold);
const row = (fields: RowFields): ForecastRow => ({ ...NOTHING, ...fields });
const completed = (initTime: number | null, combinedScore: number | null = 0.5): ForecastRow =>
  row({ forecastStatus: 'completed', initTime, combinedScore, completedAt: (initTime ?? 0) + 15 });
const failed = (initTime: number | null): ForecastRow =>
  row({ forecastStatus: 'failed', initTime, completedAt: (initTime ?? 0) + 15, combinedScore: 0.9 });

const finishing = (runId: number, after: ForecastRow): HistoryChange => ({ runId, before: null, after });
const add = (...changes: readonly HistoryChange[]): ForecastHistory | null =>
  addToHistory(emptyHistory, changes);

const underWay = (initTime: number): ForecastRow => row({ forecastStatus: 'era5_scoring', initTime });

/** Successes and failures of the current streak of daily forecasts, oldest first. */
function streakOf(...ends: readonly ((initTime: number) => ForecastRow)[]): readonly unknown[] {
  const history = add(...ends.map((end, day) => finishing(day, end(day))));
  return [history?.consecutiveSuccesses, history?.consecutiveFailures];
}

type Rows = ReadonlyMap<number, ForecastRow>;

const max = (values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.max(a, b)), null);
const min = (values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.min(a, b)), null);

/** Reference implementation: the history recomputed from all rows. */
function historyOf(rows: Rows): ForecastHistory {
  const time = ({ initTime }: ForecastRow): number => initTime ?? Number.MAX_SAFE_INTEGER;
  const newestFirst = [...rows]
    .filter(([, { forecastStatus }]) => forecastStatus === 'completed' || forecastStatus === 'failed')
    .sort(([runA, a], [runB, b]) => time(b) - time(a) || runB - runA);
  const of = (status: string) => newestFirst.map(([, row]) => row).filter((r) => r.forecastStatus === status);
  const [newest] = newestFirst;
  const isCompleted = newest?.[1].forecastStatus === 'completed';
  const change = newestFirst.findIndex(([, r]) => r.forecastStatus !== newest?.[1].forecastStatus);
  const streak = change === -1 ? newestFirst.length : change;
  return {
    best: max(of('completed').map(({ combinedScore }) => combinedScore)),
    worst: min(of('completed').map(({ combinedScore }) => combinedScore)),
    lastSuccess: max(of('completed').map(({ completedAt }) => completedAt)),
    lastFailure: max(of('failed').map(({ completedAt }) => completedAt)),
    consecutiveSuccesses: isCompleted ? streak : 0,
    consecutiveFailures: isCompleted ? 0 : streak,
    newest: newest === undefined ? null : { initTime: newest[1].initTime, runId: newest[0] },
  };
}

const changesOf = (before: Rows, after: Rows): HistoryChange[] =>
  [...after].map(([runId, now]) => ({ runId, before: before.get(runId) ?? null, after: now }));

describe('addToHistory', () => {
  it('a forecast that ends after all others is added incrementally', () => {
    expect(
      add(finishing(1, completed(10, 0.5)), finishing(2, completed(20, 0)), finishing(3, failed(30))),
    ).toEqual({
      best: 0.5,
      worst: 0,
      lastSuccess: 35,
      lastFailure: 45,
      consecutiveSuccesses: 0,
      consecutiveFailures: 1,
      newest: { initTime: 30, runId: 3 },
    });
  });

  it('forecasts of one batch are applied in the order of T0, then of run', () => {
    const changes = [finishing(3, completed(20)), finishing(1, completed(10)), finishing(2, failed(20))];
    expect(add(...changes)).toMatchObject({ consecutiveSuccesses: 1, newest: { initTime: 20, runId: 3 } });
  });

  it.each([
    ['test vector 12', [completed, failed, completed, completed, underWay, underWay], [2, 0]],
    ['failures alike', [completed, failed, failed, failed], [0, 3]],
    ['one in flight between two that ended', [completed, underWay, completed], [2, 0]],
    ['a whole history that nothing breaks', [completed, completed], [2, 0]],
    ['nothing that has ended', [underWay], [0, 0]],
    ['no forecast', [], [0, 0]],
  ])('the current streak is counted for %s', (_what, ends, streak) => {
    expect(streakOf(...ends)).toEqual(streak);
  });

  it('the input changes stay unchanged', () => {
    const changes = [finishing(2, completed(20)), finishing(1, failed(10))];
    const before = structuredClone(changes);
    expect(add(...changes)).toMatchObject({ consecutiveSuccesses: 1 });
    expect(changes).toEqual(before);
  });

  it('forecasts in flight return the same history object', () => {
    const underWay = row({ forecastStatus: 'era5_scoring', initTime: 10, combinedScore: 0.3 });
    expect(add(finishing(1, underWay), { runId: 2, before: underWay, after: underWay })).toBe(emptyHistory);
  });

  it('completion time and score of an ended forecast may be added later', () => {
    const bare = row({ forecastStatus: 'completed', initTime: 10 });
    const complete = { ...bare, completedAt: 25, combinedScore: 0.7 };
    const known = add(finishing(1, bare));
    expect(known).toMatchObject({ best: null, lastSuccess: null, consecutiveSuccesses: 1 });
    expect(known && addToHistory(known, [{ runId: 1, before: bare, after: complete }])).toMatchObject({
      best: 0.7,
      worst: 0.7,
      lastSuccess: 25,
      consecutiveSuccesses: 1,
    });
  });

  it.each([
    [
      'a forecast ends that is older than another',
      [finishing(2, completed(20))],
      finishing(1, completed(10)),
    ],
    ['a forecast ends of which no T0 is known', [], finishing(1, completed(null))],
    [
      'an end is reverted',
      [finishing(1, failed(10))],
      { runId: 1, before: failed(10), after: row({ forecastStatus: 'era5_scoring', initTime: 10 }) },
    ],
    [
      'an end changes to the opposite outcome',
      [finishing(1, failed(10))],
      { runId: 1, before: failed(10), after: completed(10) },
    ],
    [
      'a score is replaced',
      [finishing(1, completed(10, 0.5))],
      { runId: 1, before: completed(10, 0.5), after: completed(10, 0.7) },
    ],
    ['a T0 is replaced', [finishing(1, failed(10))], { runId: 1, before: failed(10), after: failed(20) }],
  ] as const)('the history has to be recomputed when %s', (_what, previous, change) => {
    const known = add(...previous);
    expect(known).not.toBeNull();
    expect(known && addToHistory(known, [change])).toBeNull();
  });

  it('a history without its newest forecast has to be recomputed', () => {
    const older = Object.fromEntries(Object.entries(emptyHistory).filter(([name]) => name !== 'newest'));
    expect(addToHistory(older as unknown as ForecastHistory, [])).toBeNull();
  });
});

const anyRow = fc.record({
  forecastStatus: fc.constantFrom('completed', 'completed', 'failed', 'era5_scoring'),
  initTime: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 12 }) }, fc.constant(null)),
  completedAt: fc.option(fc.integer({ min: 1, max: 30 })),
  combinedScore: fc.option(fc.constantFrom(0, 0.25, 0.5, 1)),
});
const anyBatch = fc.dictionary(
  fc.integer({ min: 1, max: 9 }).map((run) => String(run)),
  anyRow,
  { minKeys: 1, maxKeys: 4 },
);

describe('addToHistory on arbitrary batches', () => {
  it('an incremental history equals the recomputed one, or is null', () => {
    let added = 0;
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 8 }), (batches) => {
        let rows: Rows = new Map();
        for (const batch of batches) {
          const changed: Rows = new Map(
            Object.entries(batch).map(([run, fields]) => [Number(run), row(fields)]),
          );
          const [before, after] = [rows, new Map([...rows, ...changed])];
          const changes = changesOf(before, changed);
          const history = addToHistory(historyOf(before), changes);
          if (history !== null) {
            expect(history).toEqual(historyOf(after));
            added += 1;
          }
          // Recomputed after the rows were written, so the changes are in it already and must not be applied twice.
          const read = historyOf(after);
          expect([read, null]).toContainEqual(addToHistory(read, changes));
          rows = after;
        }
      }),
      { numRuns: 2000, seed: 20261128 },
    );
    expect(added, 'incremental updates').toBeGreaterThan(1000);
  });

  it('forecasts that end in order never need a recomputation', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 10 }), (ended) => {
        const changed: Rows = new Map(ended.map((one, index) => [index, row({ ...one, initTime: index })]));
        expect(addToHistory(emptyHistory, changesOf(new Map(), changed))).toEqual(historyOf(changed));
      }),
      { seed: 20261129 },
    );
  });
});
