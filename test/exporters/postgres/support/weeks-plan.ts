export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const LEADS = Array.from({ length: 10 }, (_, index) => 24 * (index + 1));

/** What becomes of a miner's forecasts, where nothing else ends them. */
export type Kind = 'good' | 'offline' | 'tampering' | 'gap' | 'moody';
export interface PlannedMiner {
  readonly uid: number;
  readonly hotkey: string;
  readonly kind: Kind;
}
export const MINERS: readonly PlannedMiner[] = (
  ['good', 'offline', 'tampering', 'gap', 'moody', 'good'] as const
).map((kind, uid) => ({ uid, kind, hotkey: `5Miner${uid}` }));

/** A run of one cycle; instants are milliseconds since 1970. */
export interface PlannedRun {
  readonly id: number;
  readonly t0: number;
  readonly hasGfs: boolean;
  readonly abandonedAt: number | null;
}

const daysFrom = (first: string, count: number): readonly number[] =>
  Array.from({ length: count }, (_, day) => Date.parse(`${first}T00:00:00Z`) + day * DAY);
const WITHOUT_GFS = daysFrom('2023-12-17', 3);
const ABANDONED = Date.parse('2023-12-20T00:00:00Z');
/** Valid times whose ERA5 comes nine days later than that of others. */
const LATE_VALID_TIMES = daysFrom('2024-01-03', 3);

/** Three weeks over New Year, and later three runs about the leap day. */
export const RUNS: readonly PlannedRun[] = [
  ...daysFrom('2023-12-16', 22),
  ...daysFrom('2024-02-19', 1),
  ...daysFrom('2024-02-28', 2),
].map((t0, index) => ({
  id: index + 1,
  t0,
  hasGfs: !WITHOUT_GFS.includes(t0),
  abandonedAt: t0 === ABANDONED ? t0 + 10 * DAY + 12 * HOUR : null,
}));

/** When the run is made, T0 + 18 h, plus some minutes. */
export const sinceStart = ({ t0 }: PlannedRun, minutes: number): number => t0 + 18 * HOUR + minutes * MINUTE;
export const truthDue = ({ t0 }: PlannedRun, lead: number): number => t0 + (lead + 126) * HOUR;
/** ERA5 is there at 01:00 of the day after it was due, or nine days later. */
export const truthFound = (run: PlannedRun, lead: number): number =>
  truthDue(run, lead) + 19 * HOUR + (LATE_VALID_TIMES.includes(run.t0 + lead * HOUR) ? 9 * DAY : 0);

/** Minutes from the start of a run to what its forecasts do next. */
export const AFTER = { query: 10, inferenceFails: 40, verify: 60, day1: 120, gfsFails: 136 } as const;
export const GFS_ATTEMPTS = [0, 5, 15, 35, 75, 135] as const;
export const QUERY_ATTEMPTS = [10, 11, 16, 31] as const;

/** Whether the inference of the miner fails in this run. */
export const isMoody = ({ id }: PlannedRun, { kind }: PlannedMiner): boolean =>
  kind === 'moody' && id % 3 === 0;

export const lastTruth = (run: PlannedRun): number => Math.max(...LEADS.map((lead) => truthFound(run, lead)));
