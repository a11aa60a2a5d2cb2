import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { differingSeries } from '#prometheus/compare-series';
import type { CommittedMinerStats } from '#facts/miner-stats';
import { METRICS } from '#semconv/metrics';
import { AT, exporterFor, minerStats, shown, wholeTable } from './fixtures.ts';

const SLOTS = 256;
const ROUND_MINUTES = 15;
const ROUNDS = (24 * 60) / ROUND_MINUTES;
const JOINS_A_ROUND = 60;
const ROUNDS_IN_SIX_HOURS = (6 * 60) / ROUND_MINUTES;
/** The holders of the slots, and those who lost one in the last six hours. */
const MOST_THERE = SLOTS + JOINS_A_ROUND * (ROUNDS_IN_SIX_HOURS + 1);
const ALL_MINERS = SLOTS + JOINS_A_ROUND * ROUNDS;

/** The slot of a miner, by its number; the miner after so many others takes the same one. */
const slotOf = (number: number): number => (number * 37) % SLOTS;
const roundOfJoining = (number: number): number =>
  number < SLOTS ? 0 : Math.floor((number - SLOTS) / JOINS_A_ROUND);

/** The row of a miner after a round: a pure function of both, so no table is needed. */
function rowOf(number: number, round: number): CommittedMinerStats {
  const rounds = round - roundOfJoining(number) + 1;
  const micros = (rounds_: number): number => AT + rounds_ * ROUND_MINUTES * 60_000_000;
  return minerStats({
    rowVersion: `${round}(0,${number})`,
    minerHotkey: `5Miner${number}`,
    minerUid: slotOf(number),
    minerRank: number + 1,
    avgForecastScore: Math.sqrt(number) / 128,
    avgHostingLatencyMs: 800 + Math.sqrt(round),
    hostingSuccesses: rounds,
    totalInferenceTime: rounds * 28.8,
    commonErrors: { timeout: rounds, http_5xx: 2 },
    firstSeen: micros(roundOfJoining(number)) + number,
    updatedAt: micros(round) + number,
  });
}

/** The numbers of the miners that hold the slots in a round. */
function holdersIn(round: number): readonly number[] {
  const next = SLOTS + JOINS_A_ROUND * (round + 1);
  return Array.from({ length: SLOTS }, (_, index) => next - SLOTS + index);
}

/** All that the table has after the last round: every miner as it was in the last round in which it held its slot. */
const finalTable = (): readonly CommittedMinerStats[] =>
  Array.from({ length: ALL_MINERS }, (_, number) =>
    rowOf(number, Math.max(0, Math.min(ROUNDS - 1, roundOfJoining(number + SLOTS) - 1))),
  );

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;
const MIB = 2 ** 20;
const EVERY_THIRD_HOUR = (3 * 60) / ROUND_MINUTES;

/** A day of commits; gives the heap and the number of miners with series of their own, every three hours. */
async function liveThrough(exporter: ReturnType<typeof exporterFor>) {
  const seen: { readonly heapMib: number; readonly own: number }[] = [];
  exporter.seed(Array.from({ length: SLOTS }, (_, number) => rowOf(number, 0)));
  for (let round = 0; round < ROUNDS; round += 1) {
    const rows = holdersIn(round).map((number) => rowOf(number, round));
    for (let at = 0; at < SLOTS; at += 128)
      exporter.observe({ steps: [], minerStats: rows.slice(at, at + 128) });
    if (round % EVERY_THIRD_HOUR !== EVERY_THIRD_HOUR - 1) continue;
    const own = (await shown(exporter, METRICS.minerRank.name)).length;
    collectGarbage();
    seen.push({ heapMib: process.memoryUsage().heapUsed / MIB, own });
  }
  return seen;
}

async function differencesOf(exporter: ReturnType<typeof exporterFor>, maxMiners: number) {
  const fresh = exporterFor({ limits: { maxMiners } });
  fresh.seed(finalTable());
  return differingSeries((await exporter.render(undefined)).body, (await fresh.render(undefined)).body);
}

describe(`a day in which ${ALL_MINERS} miners hold ${SLOTS} slots`, () => {
  it('current miners have series, stale ones leave no state, and the end equals a fresh start', async () => {
    const exporter = exporterFor({ limits: { maxMiners: MOST_THERE } });
    const seen = await liveThrough(exporter);
    expect(seen.map(({ own }) => own).slice(2)).toEqual(Array.from({ length: 6 }, () => seen.at(-1)?.own));
    expect(seen.at(-1)?.own).toBeLessThanOrEqual(MOST_THERE);
    expect(await differencesOf(exporter, MOST_THERE)).toEqual([]);
    // From the ninth hour to the last another 3,600 miners came and went.
    const heaps = seen.slice(2).map(({ heapMib }) => heapMib);
    expect(Math.max(...heaps) - Math.min(...heaps)).toBeLessThan(2);
  });

  it('the series stay within the budget under any churn, and the sums are right', async () => {
    const maxMiners = 300;
    const exporter = exporterFor({ limits: { maxMiners } });
    const seen = await liveThrough(exporter);
    expect(Math.max(...seen.map(({ own }) => own))).toBeLessThanOrEqual(maxMiners);
    exporter.refresh(wholeTable(finalTable()));
    expect(await differencesOf(exporter, maxMiners)).toEqual([]);
    const heaps = seen.slice(2).map(({ heapMib }) => heapMib);
    expect(Math.max(...heaps) - Math.min(...heaps)).toBeLessThan(2);
  });
});
