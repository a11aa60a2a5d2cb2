import type { EmitterAccount, RunAccount, SequenceRanges } from '../emitter-account.ts';
import { behind, toRanges, withSequence } from './sequence-ranges.ts';

/** The process whose records are numbered. */
export interface Emitter {
  readonly validatorHotkey: string;
  /** `service.instance.id`. */
  readonly instanceId: string;
}

/** The run that a step belongs to. */
export interface RunKey {
  readonly validatorHotkey: string;
  readonly runId: number;
}

/** A record as far as the books are concerned. */
export interface BookedRecord {
  readonly sequence: number;
  /** Null when its span names none. */
  readonly run: RunKey | null;
  /** Nothing else was kept of its span before. */
  readonly isFirst: boolean;
}

/** The books as they outlive the process. */
export interface LedgerState {
  /** Records up to this number are counted here. */
  readonly upTo: number;
  readonly dropped: SequenceRanges;
  readonly runs: readonly (readonly [
    validatorHotkey: string,
    runId: number,
    started: number,
    dropped: Readonly<Record<string, number>>,
  ])[];
}

interface RunBook extends RunKey {
  started: number;
  /** Steps of which the first record is safe elsewhere. */
  delivered: number;
  dropped: Record<string, number>;
  changedAt: number;
}

/** What is told of the emitter, and when in the order of changes. */
export interface ToldAccount {
  readonly account: EmitterAccount;
  readonly at: number;
}

/** Counts the records of one emitter, and its steps by run: started, on their way, delivered, dropped. */
export class Ledger {
  readonly #emitter: Emitter;
  readonly #runs = new Map<string, RunBook>();
  #lastSequence = 0;
  #deliveredSequence = 0;
  #dropped: SequenceRanges = [];
  #changes = 0;
  #toldAt = 0;
  #loadedUpTo = 0;

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** The number of a new record. */
  nextSequence(): number {
    this.#lastSequence += 1;
    return this.#lastSequence;
  }

  /** A step began. */
  start(run: RunKey | null): void {
    this.#change(run, (book) => (book.started += 1));
  }

  /** A record could not be kept. `run` is given when with it nothing is left of its step. */
  drop(sequence: number, reason: string, run: RunKey | null): void {
    this.#dropped = withSequence(this.#dropped, sequence);
    this.#changes += 1;
    this.#change(run, ({ dropped }) => (dropped[reason] = (dropped[reason] ?? 0) + 1));
  }

  /** Of a step whose start was dropped, the end could be kept. */
  recover(reason: string, run: RunKey | null): void {
    this.#change(run, ({ dropped }) => (dropped[reason] = (dropped[reason] ?? 0) - 1));
  }

  /**
   * What is told with the records from `from` on, once all before `to` are safe.
   *
   * @param isLast whether no record waits behind them
   */
  account(
    records: readonly BookedRecord[],
    slice: { readonly from: number; readonly to: number; readonly isLast: boolean },
    state: Pick<EmitterAccount, 'isOwn' | 'isClosed'>,
  ): ToldAccount {
    const { from, to, isLast } = slice;
    const firsts = countFirsts(records.slice(0, to));
    const told = [...this.#runs].filter(
      ([key, { changedAt }]) => changedAt > this.#toldAt || firsts.has(key),
    );
    const account: EmitterAccount = {
      ...this.#emitter,
      received: toRanges(records.slice(from, to).map(({ sequence }) => sequence)),
      dropped: this.#dropped,
      lastSequence: this.#lastSequence,
      deliveredSequence: isLast ? this.#lastSequence : (records[to - 1]?.sequence ?? this.#deliveredSequence),
      runs: told.map(([key, book]) => toAccount(book, firsts.get(key) ?? 0)),
      ...state,
    };
    return { account, at: this.#changes };
  }

  /** All these records are safe elsewhere, and what was told with them is known there. */
  confirm(records: readonly BookedRecord[], { account, at }: ToldAccount): void {
    for (const { run, isFirst } of records) {
      const book = run === null || !isFirst ? undefined : this.#runs.get(keyOf(run));
      if (book !== undefined) book.delivered += 1;
    }
    this.#deliveredSequence = Math.max(this.#deliveredSequence, account.deliveredSequence);
    this.#dropped = behind(this.#dropped, account.dropped.at(-1)?.[1] ?? 0);
    this.#toldAt = at;
  }

  /** Takes up the books of a process that ended; then `see` every record that it left. */
  load({ upTo, dropped, runs }: LedgerState): void {
    this.#lastSequence = upTo;
    this.#dropped = dropped;
    for (const [validatorHotkey, runId, started, lost] of runs) {
      const book = { started, delivered: started - totalOf(lost), dropped: { ...lost } };
      this.#change({ validatorHotkey, runId }, (known) => Object.assign(known, book));
    }
    this.#loadedUpTo = upTo;
  }

  /** A record that was left. The books count those up to the number at which they were written down. */
  see({ sequence, run, isFirst }: BookedRecord, isDelivered: boolean): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    if (isDelivered) this.#deliveredSequence = Math.max(this.#deliveredSequence, sequence);
    if (!isFirst) return;
    const isCounted = sequence <= this.#loadedUpTo;
    this.#change(run, (book) => {
      if (!isCounted) book.started += 1;
      if (isCounted && !isDelivered) book.delivered -= 1;
      if (!isCounted && isDelivered) book.delivered += 1;
    });
  }

  /** The books as they are written down. The newest runs come first, where there is no room for all. */
  state(): LedgerState {
    const runs = [...this.#runs.values()].sort((a, b) => b.changedAt - a.changedAt);
    return {
      upTo: this.#lastSequence,
      dropped: this.#dropped,
      runs: runs.map(({ validatorHotkey, runId, started, dropped }) => [
        validatorHotkey,
        runId,
        started,
        dropped,
      ]),
    };
  }

  #change(run: RunKey | null, change: (book: RunBook) => unknown): void {
    if (run === null) return;
    const key = keyOf(run);
    const book = this.#runs.get(key) ?? { ...run, started: 0, delivered: 0, dropped: {}, changedAt: 0 };
    change(book);
    this.#changes += 1;
    book.changedAt = this.#changes;
    this.#runs.set(key, book);
  }
}

const keyOf = ({ validatorHotkey, runId }: RunKey): string => `${validatorHotkey}/${runId}`;

const totalOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The steps of each run whose first record is among these. */
function countFirsts(records: readonly BookedRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { run, isFirst } of records) {
    if (run !== null && isFirst) counts.set(keyOf(run), (counts.get(keyOf(run)) ?? 0) + 1);
  }
  return counts;
}

function toAccount(book: RunBook, delivering: number): RunAccount {
  const { validatorHotkey, runId, started, delivered } = book;
  const dropped = Object.fromEntries(Object.entries(book.dropped).filter(([, spans]) => spans !== 0));
  const spooled = started - delivered - delivering - totalOf(dropped);
  return { validatorHotkey, runId, started, spooled, dropped };
}
