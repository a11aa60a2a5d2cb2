import type { RunAccount } from '#exporters/emitter-report';

/** The run that a step belongs to. */
export interface RunIdentity {
  readonly validatorHotkey: string;
  readonly runId: number;
}

/** What the books need of a record. */
export interface BookedRecord {
  readonly sequence: number;
  /** Null when the span names none. */
  readonly run: RunIdentity | null;
  /** Whether it is the first stored record of its span, so that a step is counted once. */
  readonly isFirst: boolean;
}

/** The persistent counts of a run. */
export type RunState = readonly [
  validatorHotkey: string,
  runId: number,
  started: number,
  dropped: Readonly<Record<string, number>>,
];

interface RunCounts extends RunIdentity {
  started: number;
  /** Steps whose first record is committed. */
  delivered: number;
  dropped: Record<string, number>;
  changedAt: number;
}

/** Step counters of one emitter by run: started, delivered, dropped; the rest is in flight. */
export class RunCounters {
  readonly #runs = new Map<string, RunCounts>();
  /** Memoizes the last lookup by identity of the run: consecutive records nearly always share it. */
  #newest: { readonly run: RunIdentity; readonly counts: RunCounts } | null = null;
  #changes = 0;

  /** Change count, the version of the counters. */
  get changes(): number {
    return this.#changes;
  }

  start(run: RunIdentity | null): void {
    this.#change(run, (counts) => (counts.started += 1));
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Adjusts the dropped-step counter (±1). */
  drop(run: RunIdentity | null, reason: string, steps: 1 | -1): void {
    this.#change(run, ({ dropped }) => (dropped[reason] = (dropped[reason] ?? 0) + steps));
  }

  /** Counts as dropped every step that is neither delivered nor among these records. */
  writeOff(readable: readonly BookedRecord[], reason: string): void {
    const firsts = countFirsts(readable);
    for (const [key, counts] of this.#runs) {
      const { spooled } = toAccount(counts, firsts.get(key) ?? 0);
      if (spooled <= 0) continue;
      this.#change(counts, ({ dropped }) => (dropped[reason] = (dropped[reason] ?? 0) + spooled));
    }
  }

  /** Counts committed steps. Not a change to report: the account of the batch included them already. */
  deliver(records: readonly BookedRecord[]): void {
    for (const [key, steps] of countFirsts(records)) {
      const counts = this.#runs.get(key);
      if (counts !== undefined) counts.delivered += steps;
    }
  }

  /** Accounts of the runs that changed since version `since` or have steps in these records, as if those were committed. */
  accounts(records: readonly BookedRecord[], since: number): readonly RunAccount[] {
    const firsts = countFirsts(records);
    return [...this.#runs]
      .filter(([key, { changedAt }]) => changedAt > since || firsts.has(key))
      .map(([key, counts]) => toAccount(counts, firsts.get(key) ?? 0));
  }

  /** Restores counts; every counted step is taken as delivered until its record is replayed from disk. */
  load(runs: readonly RunState[]): void {
    for (const [validatorHotkey, runId, started, lost] of runs) {
      const counts = { started, delivered: started - totalOf(lost), dropped: { ...lost } };
      this.#change({ validatorHotkey, runId }, (known) => Object.assign(known, counts));
    }
  }

  /** Replays the first record of a step. @param state `isCounted`: the restored counts include the step */
  replayFirst(run: RunIdentity | null, state: { isCounted: boolean; isDelivered: boolean }): void {
    const { isCounted, isDelivered } = state;
    this.#change(run, (counts) => {
      if (!isCounted) counts.started += 1;
      if (isCounted && !isDelivered) counts.delivered -= 1;
      if (!isCounted && isDelivered) counts.delivered += 1;
    });
  }

  /** The persistent counts, most recently changed first. */
  state(): readonly RunState[] {
    return [...this.#runs.values()]
      .sort((a, b) => b.changedAt - a.changedAt)
      .map(({ validatorHotkey, runId, started, dropped }) => [validatorHotkey, runId, started, dropped]);
  }

  #change(run: RunIdentity | null, change: (counts: RunCounts) => unknown): void {
    if (run === null) return;
    const counts = this.#countsOf(run);
    change(counts);
    this.#changes += 1;
    counts.changedAt = this.#changes;
  }

  #countsOf(run: RunIdentity): RunCounts {
    if (this.#newest?.run === run) return this.#newest.counts;
    const key = runIdentityKey(run);
    const counts = this.#runs.get(key) ?? { ...run, started: 0, delivered: 0, dropped: {}, changedAt: 0 };
    this.#runs.set(key, counts);
    this.#newest = { run, counts };
    return counts;
  }
}

const runIdentityKey = ({ validatorHotkey, runId }: RunIdentity): string => `${validatorHotkey}/${runId}`;

const totalOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Counts the first records by run. */
function countFirsts(records: readonly BookedRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let newest: RunIdentity | null = null;
  let key = '';
  for (const { run, isFirst } of records) {
    if (run === null || !isFirst) continue;
    if (run !== newest) {
      newest = run;
      key = runIdentityKey(run);
    }
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function toAccount(counts: RunCounts, delivering: number): RunAccount {
  const { validatorHotkey, runId, started, delivered } = counts;
  const dropped = Object.fromEntries(Object.entries(counts.dropped).filter(([, spans]) => spans !== 0));
  const spooled = started - delivered - delivering - totalOf(dropped);
  return { validatorHotkey, runId, started, spooled, dropped };
}
