import type { RunAccount } from '#exporters/emitter-report';

/** The run that a step belongs to. */
export interface RunIdentity {
  readonly validatorHotkey: string;
  readonly runId: number;
}

/** A record as far as the books are concerned. */
export interface BookedRecord {
  readonly sequence: number;
  /** Null when its span names none. */
  readonly run: RunIdentity | null;
  /** Nothing else was kept of its span before. */
  readonly isFirst: boolean;
}

/** The book of a run as it outlives the process. */
export type RunState = readonly [
  validatorHotkey: string,
  runId: number,
  started: number,
  dropped: Readonly<Record<string, number>>,
];

interface RunBook extends RunIdentity {
  started: number;
  /** Steps of which the first record is safe elsewhere. */
  delivered: number;
  dropped: Record<string, number>;
  changedAt: number;
}

/** The steps of one emitter by run: started, on their way, delivered, dropped. */
export class RunBooks {
  readonly #runs = new Map<string, RunBook>();
  /** The book that was last looked for, and the key by which it was: records of one run follow one another. */
  #newest: { readonly run: RunIdentity; readonly book: RunBook } | null = null;
  #changes = 0;

  /** How many changes there were. */
  get changes(): number {
    return this.#changes;
  }

  start(run: RunIdentity | null): void {
    this.#change(run, (book) => (book.started += 1));
  }

  /** Of so many steps more nothing was kept; below 0, of so many fewer. */
  drop(run: RunIdentity | null, reason: string, steps: 1 | -1): void {
    this.#change(run, ({ dropped }) => (dropped[reason] = (dropped[reason] ?? 0) + steps));
  }

  /** The first records of steps are safe elsewhere. This is no change: the report of the records has it. */
  deliver(records: readonly BookedRecord[]): void {
    for (const [key, steps] of countFirsts(records)) {
      const book = this.#runs.get(key);
      if (book !== undefined) book.delivered += steps;
    }
  }

  /**
   * The counters to report of the runs that changed since, or that have steps in these records, once those are safe.
   */
  accounts(records: readonly BookedRecord[], since: number): readonly RunAccount[] {
    const firsts = countFirsts(records);
    return [...this.#runs]
      .filter(([key, { changedAt }]) => changedAt > since || firsts.has(key))
      .map(([key, book]) => toAccount(book, firsts.get(key) ?? 0));
  }

  /** Takes up the books of a process that ended; all that they count is taken for delivered until it is seen. */
  load(runs: readonly RunState[]): void {
    for (const [validatorHotkey, runId, started, lost] of runs) {
      const book = { started, delivered: started - totalOf(lost), dropped: { ...lost } };
      this.#change({ validatorHotkey, runId }, (known) => Object.assign(known, book));
    }
  }

  /** The first record of a step that was left, and whether these books count the step already. */
  see(
    run: RunIdentity | null,
    { isCounted, isDelivered }: { isCounted: boolean; isDelivered: boolean },
  ): void {
    this.#change(run, (book) => {
      if (!isCounted) book.started += 1;
      if (isCounted && !isDelivered) book.delivered -= 1;
      if (!isCounted && isDelivered) book.delivered += 1;
    });
  }

  /** The books as they are written down, those that changed last first. */
  state(): readonly RunState[] {
    return [...this.#runs.values()]
      .sort((a, b) => b.changedAt - a.changedAt)
      .map(({ validatorHotkey, runId, started, dropped }) => [validatorHotkey, runId, started, dropped]);
  }

  #change(run: RunIdentity | null, change: (book: RunBook) => unknown): void {
    if (run === null) return;
    const book = this.#bookOf(run);
    change(book);
    this.#changes += 1;
    book.changedAt = this.#changes;
  }

  #bookOf(run: RunIdentity): RunBook {
    if (this.#newest?.run === run) return this.#newest.book;
    const key = runIdentityKey(run);
    const book = this.#runs.get(key) ?? { ...run, started: 0, delivered: 0, dropped: {}, changedAt: 0 };
    this.#runs.set(key, book);
    this.#newest = { run, book };
    return book;
  }
}

const runIdentityKey = ({ validatorHotkey, runId }: RunIdentity): string => `${validatorHotkey}/${runId}`;

const totalOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The steps of each run whose first record is among these. */
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

function toAccount(book: RunBook, delivering: number): RunAccount {
  const { validatorHotkey, runId, started, delivered } = book;
  const dropped = Object.fromEntries(Object.entries(book.dropped).filter(([, spans]) => spans !== 0));
  const spooled = started - delivered - delivering - totalOf(dropped);
  return { validatorHotkey, runId, started, spooled, dropped };
}
