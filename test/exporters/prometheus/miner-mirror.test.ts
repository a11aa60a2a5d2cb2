import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OVERFLOW } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import { REPLACED_AFTER_MICROS } from '#prometheus/stale-miners';
import { AT, exporterFor, labelsOf, minerStats, shown, valueOf, wholeTable } from './fixtures.ts';

const COMPLETED = METRICS.minerSuccessfulForecasts.name;
const RANK = METRICS.minerRank.name;
const DAY1 = METRICS.minerAvgDay1Score.name;
const miner = (uid: number, completed: number) =>
  minerStats({
    minerUid: uid,
    minerHotkey: `5Miner${uid}`,
    successfulForecasts: completed,
    minerRank: uid + 1,
  });

describe('Mirror of miner_stats', () => {
  it('a counter shows the committed number, however often the row is applied', async () => {
    const exporter = exporterFor();
    for (let time = 0; time < 3; time += 1) exporter.observe({ steps: [], minerStats: [miner(7, 5)] });
    expect(await shown(exporter, COMPLETED)).toEqual([
      `${COMPLETED}{validator_id="1",miner_hotkey="5Miner7",miner_uid="7"} 5`,
    ]);
  });

  it('the newer of two commits wins', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: [], minerStats: [miner(7, 5)] });
    exporter.observe({ steps: [], minerStats: [miner(7, 6)] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([6]);
  });

  it('a restart continues from the table, and scrapes change nothing', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(7, 41)]);
    exporter.observe({ steps: [], minerStats: [miner(7, 42)] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([42]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([42]);
  });

  it('a null has no series, and a value that becomes null loses its series', async () => {
    const exporter = exporterFor();
    exporter.observe({ steps: [], minerStats: [minerStats({ avgDay1Score: 0 })] });
    expect((await shown(exporter, DAY1)).map(valueOf)).toEqual([0]);
    exporter.observe({ steps: [], minerStats: [minerStats({ avgDay1Score: null })] });
    expect(await shown(exporter, DAY1)).toEqual([]);
  });

  it('a value that is not finite has no series', async () => {
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

  it('miner 0 has series like any other', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(0, 1)]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([
      { validator_id: '1', miner_hotkey: '5Miner0', miner_uid: '0' },
    ]);
  });

  it('an unknown slot is left out of the labels', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ minerUid: null })]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([
      { validator_id: '1', miner_hotkey: '5Miner7' },
    ]);
  });

  it('a new hotkey in an old slot has its own series, and the old one keeps its own until it is stale', async () => {
    const exporter = exporterFor();
    const tell = (minerHotkey: string, updatedAt: number) =>
      exporter.observe({ steps: [], minerStats: [minerStats({ minerHotkey, updatedAt })] });
    tell('5Old', AT);
    tell('5New', AT + REPLACED_AFTER_MICROS);
    const hotkeys = async () =>
      (await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_hotkey']);
    expect(await hotkeys()).toEqual(['5Old', '5New']);
    tell('5New', AT + REPLACED_AFTER_MICROS + 1);
    expect(await hotkeys()).toEqual(['5New']);
  });

  it('a miner that returns is exposed with the values of the table', async () => {
    const exporter = exporterFor();
    const old = minerStats({ minerHotkey: '5Old', successfulForecasts: 9 });
    const late = { minerHotkey: '5New', updatedAt: AT + 2 * REPLACED_AFTER_MICROS };
    exporter.observe({ steps: [], minerStats: [old, minerStats(late)] });
    expect(await shown(exporter, COMPLETED)).toHaveLength(1);
    const back = { ...old, successfulForecasts: 10, updatedAt: late.updatedAt + 1 };
    exporter.observe({ steps: [], minerStats: [back] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([0, 10]);
  });

  it('a miner with a new slot is moved, not exposed twice', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ minerUid: 7 })]);
    exporter.observe({ steps: [], minerStats: [minerStats({ minerUid: 8 })] });
    expect((await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_uid'])).toEqual(['8']);
  });

  it('one hotkey at two validators has separate series', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ validatorId: 1 }), minerStats({ validatorId: 2 })]);
    expect(await shown(exporter, COMPLETED)).toHaveLength(2);
  });

  it('a new seed drops the miners that the table no longer has', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2)]);
    exporter.seed([miner(2, 2)]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([2]);
  });
});

describe('Miners beyond the budget', () => {
  const overBudget = () => {
    const exporter = exporterFor({ limits: { maxMiners: 2 } });
    exporter.seed([1, 2, 3, 4].map((uid) => miner(uid, uid * 10)));
    return exporter;
  };
  const total = async (exporter: ReturnType<typeof overBudget>) =>
    (await shown(exporter, COMPLETED)).map(valueOf).reduce((sum, value) => sum + value, 0);

  it('miners beyond the budget share one series of each counter, so the total stays right', async () => {
    const exporter = overBudget();
    const last = (await shown(exporter, COMPLETED)).at(-1);
    expect(last).toBe(`${COMPLETED}{validator_id="1",miner_hotkey="${OVERFLOW}"} 70`);
    expect(await total(exporter)).toBe(100);
  });

  it('miners beyond the budget have no gauges, since a rank of several miners means nothing', async () => {
    expect((await shown(overBudget(), RANK)).map(valueOf)).toEqual([2, 3]);
  });

  it('miners beyond the budget are counted', async () => {
    const exporter = overBudget();
    exporter.observe({ steps: [], minerStats: [miner(4, 41), miner(1, 11)] });
    expect(await shown(exporter, METRICS.minersOverflowed.name)).toEqual([
      `${METRICS.minersOverflowed.name}{validator_id="1"} 2`,
    ]);
    expect(await shown(exporter, METRICS.overflow.name)).toContain(
      `${METRICS.overflow.name}{label="miner_hotkey"} 3`,
    );
  });

  it('the miners first seen last are beyond the budget, in whatever order the rows arrive', async () => {
    const rows = [1, 2, 3, 4].map((uid) => ({ ...miner(uid, uid * 10), firstSeen: AT - uid }));
    for (const arrivals of [rows, rows.toReversed()]) {
      const exporter = exporterFor({ limits: { maxMiners: 2 } });
      for (const row of arrivals) exporter.observe({ steps: [], minerStats: [row] });
      const own = (await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_hotkey']);
      expect(own.toSorted()).toEqual(['5Miner3', '5Miner4', OVERFLOW].toSorted());
      expect(await total(exporter)).toBe(100);
    }
  });

  it('a miner gets series of its own when a refresh finds room for it', async () => {
    const exporter = overBudget();
    const left = [2, 3, 4].map((uid) => miner(uid, uid * 10));
    exporter.refresh(wholeTable(left));
    const own = (await shown(exporter, COMPLETED)).map((line) => labelsOf(line)['miner_hotkey']);
    expect(own).toEqual(['5Miner2', '5Miner3', OVERFLOW]);
    expect(await shown(exporter, RANK)).toHaveLength(2);
    expect(await total(exporter)).toBe(90);
  });

  it('a miner whose hotkey could be mistaken for another series is beyond the budget', async () => {
    const exporter = exporterFor();
    exporter.seed([
      minerStats({ minerHotkey: OVERFLOW }),
      minerStats({ minerHotkey: '5Miner7,miner_uid:7' }),
    ]);
    expect((await shown(exporter, COMPLETED)).map(labelsOf)).toEqual([
      { validator_id: '1', miner_hotkey: OVERFLOW },
    ]);
  });

  it('each validator has its own overflow series, and those beyond the budget of validators have one together', async () => {
    const exporter = exporterFor({ limits: { maxMiners: 3, maxValidators: 2 } });
    const rows = [1, 1, 2, 2, 2, 3, 4].map((validatorId, at) => ({ ...miner(at, 10 ** at), validatorId }));
    exporter.seed(rows);
    const overflow = (await shown(exporter, COMPLETED)).filter((line) => line.includes(OVERFLOW));
    expect(overflow).toEqual([
      `${COMPLETED}{validator_id="2",miner_hotkey="${OVERFLOW}"} 11000`,
      `${COMPLETED}{validator_id="${OVERFLOW}",miner_hotkey="${OVERFLOW}"} 1100000`,
    ]);
    expect(await shown(exporter, METRICS.minersOverflowed.name)).toEqual(
      [
        ['1', 0],
        ['2', 2],
        [OVERFLOW, 2],
      ].map(([label, count]) => `${METRICS.minersOverflowed.name}{validator_id="${label}"} ${count}`),
    );
  });

  it('a miner that a run takes in gets the series of one that spans merely name', async () => {
    const exporter = exporterFor({ limits: { maxMiners: 1 } });
    const named = { ...miner(1, 1), firstSeen: AT };
    const taken = { ...miner(2, 2), firstSeen: AT + 1, isSelected: true };
    exporter.observe({ steps: [], minerStats: [named] });
    exporter.observe({ steps: [], minerStats: [taken] });
    expect((await shown(exporter, RANK)).map((line) => labelsOf(line)['miner_hotkey'])).toEqual(['5Miner2']);
  });

  it('the budget is never exceeded, and the total never changes', async () => {
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

describe('Drift', () => {
  const DRIFT = METRICS.minerStatsDrift.name;

  it('the drift is unknown before the first comparison', async () => {
    expect(await shown(exporterFor(), DRIFT)).toEqual([]);
  });

  it('the drift is 0 when the metrics equal the table', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2)]);
    exporter.refresh(wholeTable([miner(2, 2), miner(1, 1)]));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 0`]);
  });

  it('rows that another process changed, added or removed are merged and are no drift', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2), miner(3, 3)]);
    exporter.refresh(wholeTable([{ ...miner(2, 22), rowVersion: '2(0,9)' }, miner(3, 3), miner(4, 4)]));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 0`]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([22, 3, 4]);
  });

  it('the drift counts rows that differ in the same version, and returns to 0 with them', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1), miner(2, 2), { ...miner(3, 3), updatedAt: AT - 1 }]);
    const table = [miner(1, 1), miner(2, 22), miner(3, 3)];
    exporter.refresh(wholeTable(table));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 2`]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([1, 22, 3]);
    exporter.refresh(wholeTable(table));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 0`]);
  });

  it('the drift includes a miner beyond the budget by its counters', async () => {
    const exporter = exporterFor({ limits: { maxMiners: 0 } });
    exporter.seed([miner(1, 1)]);
    exporter.refresh(wholeTable([{ ...miner(1, 1), minerRank: 7 }]));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 0`]);
    exporter.refresh(wholeTable([miner(1, 2)]));
    expect(await shown(exporter, DRIFT)).toEqual([`${DRIFT} 1`]);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([2]);
  });
});

describe('Refresh', () => {
  const version = (transaction: number) => ({ rowVersion: `${transaction}(0,1)` });
  const seenUpTo = (last: number) => (rowVersion: string) => Number.parseInt(rowVersion, 10) <= last;

  it('a row observed after the snapshot of the read stays unchanged', async () => {
    const exporter = exporterFor();
    const read = { rows: [{ ...miner(1, 1), ...version(3) }], hasSeen: seenUpTo(3) };
    exporter.observe({
      steps: [],
      minerStats: [
        { ...miner(1, 5), ...version(4) },
        { ...miner(2, 7), ...version(4) },
      ],
    });
    exporter.refresh(read);
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([5, 7]);
  });

  it('a late commit that the snapshot includes does not undo a refresh', async () => {
    const exporter = exporterFor();
    exporter.refresh({ rows: [{ ...miner(1, 5), ...version(4) }], hasSeen: seenUpTo(4) });
    exporter.observe({ steps: [], minerStats: [{ ...miner(1, 4), ...version(3) }] });
    expect((await shown(exporter, COMPLETED)).map(valueOf)).toEqual([5]);
  });

  it('a miner that is gone from the table is dropped', async () => {
    const exporter = exporterFor();
    exporter.seed([miner(1, 1)]);
    exporter.refresh(wholeTable([]));
    expect(await shown(exporter, COMPLETED)).toEqual([]);
  });
});
