import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OVERFLOW } from '../../../src/semconv/metric-labels.ts';
import { METRICS } from '../../../src/semconv/metrics.ts';
import { exporterFor, labelsOf, minerStats, shown, valueOf } from './fixtures.ts';

const COMPLETED = METRICS.minerSuccessfulForecasts.name;
const RANK = METRICS.minerRank.name;
const RATIO = METRICS.minerForecastSuccessRatio.name;
const miner = (uid: number, completed: number) =>
  minerStats({
    minerUid: uid,
    minerHotkey: `5Miner${uid}`,
    successfulForecasts: completed,
    minerRank: uid + 1,
  });

describe('the mirror of miner_stats', () => {
  it('shows the committed number, not how often it was told', async () => {
    const exporter = exporterFor();
    for (let time = 0; time < 3; time += 1) exporter.observe({ steps: [], minerStats: [miner(7, 5)] });
    expect(await shown(exporter, COMPLETED)).toEqual([
      `${COMPLETED}{validator_hotkey="5Validator",miner_hotkey="5Miner7",miner_uid="7"} 5`,
    ]);
  });

  it('shows the newest of two commits', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: [], minerStats: [miner(7, 5)] });
    exporter.observe({ steps: [], minerStats: [miner(7, 6)] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([6]);
  });

  it('goes on where the table is after a restart, and scrapes change nothing', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(7, 41)]);
    exporter.observe({ steps: [], minerStats: [miner(7, 42)] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([42]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([42]);
  });

  it('has no series for a null, and drops the series of a value that became null', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: [], minerStats: [minerStats({ forecastSuccessRatio: 0 })] });
    expect((await shown(exporter, RATIO)).map(valueOf)).toEqual([0]);
    exporter.observe({ steps: [], minerStats: [minerStats({ forecastSuccessRatio: null })] });
    expect(await shown(exporter, RATIO)).toEqual([]);
  });

  it('has no series for a number that is none', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ avgDay1Score: -Infinity, avgEra5Score: NaN, totalInferenceTime: -1 })]);
    for (const metric of [
      METRICS.minerAvgDay1Score,
      METRICS.minerAvgEra5Score,
      METRICS.minerInferenceSeconds,
    ]) {
      expect(await shown(exporter, metric.name)).toEqual([]);
    }
  });

  it('shows miner 0 as it shows any other', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(0, 1)]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([
      { validator_hotkey: '5Validator', miner_hotkey: '5Miner0', miner_uid: '0' },
    ]);
  });

  it('leaves the slot out when it is not known', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ minerUid: null })]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([
      { validator_hotkey: '5Validator', miner_hotkey: '5Miner7' },
    ]);
  });

  it('makes another series of a new hotkey in an old slot, and keeps the old one until it is forgotten', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ minerHotkey: '5Old', successfulForecasts: 9 })]);
    exporter.observe({
      steps: [],
      minerStats: [minerStats({ minerHotkey: '5New', successfulForecasts: 1 })],
    });
    const hotkeys = async () =>
      (await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_hotkey']);
    expect(await hotkeys()).toEqual(['5Old', '5New']);
    exporter.forgetMiner('5Old');
    expect(await hotkeys()).toEqual(['5New']);
  });

  it('moves a miner with a new slot instead of showing it twice', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ minerUid: 7 })]);
    exporter.observe({ steps: [], minerStats: [minerStats({ minerUid: 8 })] });
    expect((await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_uid'])).toEqual(['8']);
  });

  it('keeps the same miner apart for two validators', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ validatorHotkey: '5A' }), minerStats({ validatorHotkey: '5B' })]);
    expect(await shown(exporter, COMPLETED)).toHaveLength(2);
  });

  it('drops, at a new seed, the miners that the table no longer has', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2)]);
    exporter.seed([miner(2, 2)]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([2]);
  });
});

describe('a miner beyond the budget', () => {
  const overBudget = () => {
    const exporter = exporterFor({ limits: { maxMiners: 2 } });
    exporter.seed([1, 2, 3, 4].map((uid) => miner(uid, uid * 10)));
    return exporter;
  };
  const total = async (exporter: ReturnType<typeof overBudget>) =>
    (await shown(exporter, COMPLETED)).map(valueOf).reduce((sum, value) => sum + value, 0);

  it('shares one series of each counter, so that the total stays right', async () => {
    const exporter = overBudget();
    const last = (await shown(exporter, COMPLETED)).at(-1);
    expect(last).toBe(`${COMPLETED}{miner_hotkey="${OVERFLOW}"} 70`);
    expect(await total(exporter)).toBe(100);
  });

  it('has no gauges, for a rank of several miners means nothing', async () => {
    expect((await shown(overBudget(), RANK)).map(valueOf)).toEqual([2, 3]);
  });

  it('is counted', async () => {
    const exporter = overBudget();
    exporter.observe({ steps: [], minerStats: [miner(4, 41), miner(1, 11)] });
    expect(await shown(exporter, METRICS.minersOverflowed.name)).toEqual([
      `${METRICS.minersOverflowed.name} 2`,
    ]);
    expect(await shown(exporter, METRICS.overflow.name)).toContain(
      `${METRICS.overflow.name}{label="miner_hotkey"} 3`,
    );
  });

  it('keeps its place when room is made, while a miner that comes later gets the room', async () => {
    const exporter = overBudget();
    exporter.forgetMiner('5Miner1');
    exporter.observe({ steps: [], minerStats: [miner(3, 31), miner(5, 50)] });
    const own = (await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_hotkey']);
    expect(own).toEqual(['5Miner2', OVERFLOW, '5Miner5']);
    expect(await total(exporter)).toBe(20 + 31 + 40 + 50);
  });

  it('is one whose hotkey could pass for another series', async () => {
    const exporter = exporterFor();
    exporter.seed([
      minerStats({ minerHotkey: OVERFLOW }),
      minerStats({ minerHotkey: '5Miner7,miner_uid:7' }),
    ]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([{ miner_hotkey: OVERFLOW }]);
  });

  it('never makes more series than the budget allows, and never changes the total', async () => {
    const commits = fc.array(fc.record({ uid: fc.nat(9), completed: fc.nat(1000) }), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(commits, fc.integer({ min: 0, max: 5 }), async (rows, maxMiners) => {
        const exporter = exporterFor({ limits: { maxMiners } });
        for (const { uid, completed } of rows)
          exporter.observe({ steps: [], minerStats: [miner(uid, completed)] });
        const table = new Map(rows.map(({ uid, completed }) => [uid, completed]));
        expect((await shown(exporter, COMPLETED)).length).toBeLessThanOrEqual(maxMiners + 1);
        expect(await total(exporter)).toBe([...table.values()].reduce((sum, value) => sum + value, 0));
      }),
      { numRuns: 25 },
    );
  });
});

describe('the drift', () => {
  const DRIFT = METRICS.minerStatsDrift.name;

  it('is not known before the first comparison', async () => {
    expect(await shown(exporterFor(), DRIFT)).toEqual([]);
  });

  it('is 0 when the metrics say what the table says', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2)]);
    expect(exporter.reconcile([miner(2, 2), miner(1, 1)])).toBe(0);
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 0`]);
  });

  it('counts rows that differ, are missing or are too many, and ends with them', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2), miner(3, 3)]);
    const table = [miner(2, 22), miner(3, 3), miner(4, 4)];
    expect(exporter.reconcile(table)).toBe(3);
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 3`]);
    expect((await shown(exporter, COMPLETED)).map(valueOf).sort()).toEqual([22, 3, 4].sort());
    expect(exporter.reconcile(table)).toBe(0);
  });
});
