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

type Values = Partial<Pick<ForecastRow, 'forecastStatus' | 'initTime' | 'completedAt' | 'combinedScore'>>;
const NOTHING = toForecastRow(emptyForecastFold);
const row = (values: Values): ForecastRow => ({ ...NOTHING, ...values });
const completed = (initTime: number | null, combinedScore: number | null = 0.5): ForecastRow =>
  row({ forecastStatus: 'completed', initTime, combinedScore, completedAt: (initTime ?? 0) + 15 });
const failed = (initTime: number | null): ForecastRow =>
  row({ forecastStatus: 'failed', initTime, completedAt: (initTime ?? 0) + 15, combinedScore: 0.9 });

const finishing = (runId: number, after: ForecastRow): HistoryChange => ({ runId, before: null, after });
const add = (...changes: readonly HistoryChange[]): ForecastHistory | null =>
  addToHistory(emptyHistory, changes);

const underWay = (initTime: number): ForecastRow => row({ forecastStatus: 'era5_scoring', initTime });

/** Successes and failures of the current streak, of forecasts one a day, the oldest first. */
function streakOf(...ends: readonly ((initTime: number) => ForecastRow)[]): readonly unknown[] {
  const history = add(...ends.map((end, day) => finishing(day, end(day))));
  return [history?.consecutiveSuccesses, history?.consecutiveFailures];
}

type Rows = ReadonlyMap<number, ForecastRow>;

const max = (values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.max(a, b)), null);
const min = (values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.min(a, b)), null);

/** What the rows say, by looking at all of them. */
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

describe('the history of a miner', () => {
  it('the history of a miner grows with each forecast that ends after the others, without a look at them', () => {
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

  it('the history of a miner takes the forecasts of a batch in the order of their T0, and of their runs for the same T0', () => {
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
  ])('the history of a miner counts its current streak: %s', (_what, ends, streak) => {
    expect(streakOf(...ends)).toEqual(streak);
  });

  it('the history of a miner leaves the changes as they were given', () => {
    const changes = [finishing(2, completed(20)), finishing(1, failed(10))];
    const before = structuredClone(changes);
    expect(add(...changes)).toMatchObject({ consecutiveSuccesses: 1 });
    expect(changes).toEqual(before);
  });

  it('the history of a miner stays the same object while forecasts are on their way', () => {
    const underWay = row({ forecastStatus: 'era5_scoring', initTime: 10, combinedScore: 0.3 });
    expect(add(finishing(1, underWay), { runId: 2, before: underWay, after: underWay })).toBe(emptyHistory);
  });

  it('the history of a miner is told later when a forecast ended or how it scored', () => {
    const bare = row({ forecastStatus: 'completed', initTime: 10 });
    const values = { ...bare, completedAt: 25, combinedScore: 0.7 };
    const known = add(finishing(1, bare));
    expect(known).toMatchObject({ best: null, lastSuccess: null, consecutiveSuccesses: 1 });
    expect(known && addToHistory(known, [{ runId: 1, before: bare, after: values }])).toMatchObject({
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
      'an end is taken back',
      [finishing(1, failed(10))],
      { runId: 1, before: failed(10), after: row({ forecastStatus: 'era5_scoring', initTime: 10 }) },
    ],
    [
      'an end becomes another',
      [finishing(1, failed(10))],
      { runId: 1, before: failed(10), after: completed(10) },
    ],
    [
      'a score is replaced',
      [finishing(1, completed(10, 0.5))],
      { runId: 1, before: completed(10, 0.5), after: completed(10, 0.7) },
    ],
    ['a T0 is replaced', [finishing(1, failed(10))], { runId: 1, before: failed(10), after: failed(20) }],
  ] as const)('the history of a miner has to be read when %s', (_what, values, change) => {
    const known = add(...values);
    expect(known).not.toBeNull();
    expect(known && addToHistory(known, [change])).toBeNull();
  });

  it('the history of a miner has to be read when it does not say which forecast is the newest', () => {
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

describe('forecasts that end in any order, several at once, and change their ends', () => {
  it('forecasts that end in any order, several at once, and change their ends add up to what a look at all of them says, or are said to need one', () => {
    let added = 0;
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 8 }), (batches) => {
        let rows: Rows = new Map();
        for (const batch of batches) {
          const rowsByRun: Rows = new Map(
            Object.entries(batch).map(([run, values]) => [Number(run), row(values)]),
          );
          const [before, after] = [rows, new Map([...rows, ...rowsByRun])];
          const changes = changesOf(before, rowsByRun);
          const history = addToHistory(historyOf(before), changes);
          if (history !== null) {
            expect(history).toEqual(historyOf(after));
            added += 1;
          }
          // Read when the rows were written already: what is told of them then is in it.
          const read = historyOf(after);
          expect([read, null]).toContainEqual(addToHistory(read, changes));
          rows = after;
        }
      }),
      { numRuns: 2000, seed: 20261128 },
    );
    expect(added, 'added to, and not read').toBeGreaterThan(1000);
  });

  it('forecasts that end in any order, several at once, and change their ends never need one as long as each ends after those before', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 10 }), (values) => {
        const rowsByRun: Rows = new Map(
          values.map((one, index) => [index, row({ ...one, initTime: index })]),
        );
        expect(addToHistory(emptyHistory, changesOf(new Map(), rowsByRun))).toEqual(historyOf(rowsByRun));
      }),
      { seed: 20261129 },
    );
  });
});
