import type { EmitterAccount, SequenceRanges } from '#exporters/emitter-report';
import { RunBooks, type BookedRecord, type RunIdentity, type RunState } from './run-counters.ts';
import { behind, toRanges, withSequence } from './sequence-ranges.ts';

export type { BookedRecord, RunIdentity } from './run-counters.ts';

/** The process whose records are numbered. */
export interface Emitter {
  readonly validatorHotkey: string;
  /** `service.instance.id`. */
  readonly instanceId: string;
}

/** The books as they outlive the process. */
export interface LedgerState {
  /** Records up to this number are counted here. */
  readonly upTo: number;
  readonly dropped: SequenceRanges;
  readonly runs: readonly RunState[];
}

/** A report about the emitter, and its position in the order of changes. */
export interface AccountReport {
  readonly account: EmitterAccount;
  readonly at: number;
}

/** Counts the records of one emitter, and its steps by run: started, on their way, delivered, dropped. */
export class Ledger {
  readonly #emitter: Emitter;
  readonly #runs = new RunBooks();
  #lastSequence = 0;
  #deliveredSequence = 0;
  #dropped: SequenceRanges = [];
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
  start(run: RunIdentity | null): void {
    this.#runs.start(run);
  }

  /** A record could not be kept. `run` is given when with it nothing is left of its step. */
  drop(sequence: number, reason: string, run: RunIdentity | null): void {
    this.#dropped = withSequence(this.#dropped, sequence);
    this.#runs.drop(run, reason, 1);
  }

  /** Of a step whose start was dropped, the end could be kept. */
  recover(reason: string, run: RunIdentity | null): void {
    this.#runs.drop(run, reason, -1);
  }

  /**
   * The report that goes with the records from `from` on, valid once all before `to` are durable.
   *
   * @param isLast whether no record waits behind them
   */
  account(
    records: readonly BookedRecord[],
    slice: { readonly from: number; readonly to: number; readonly isLast: boolean },
    state: Pick<EmitterAccount, 'isOwn' | 'isClosed'>,
  ): AccountReport {
    const { from, to, isLast } = slice;
    const account: EmitterAccount = {
      ...this.#emitter,
      received: toRanges(records.slice(from, to).map(({ sequence }) => sequence)),
      dropped: this.#dropped,
      lastSequence: this.#lastSequence,
      deliveredSequence: isLast ? this.#lastSequence : (records[to - 1]?.sequence ?? this.#deliveredSequence),
      runs: this.#runs.accounts(records.slice(0, to), this.#toldAt),
      ...state,
    };
    return { account, at: this.#runs.changes };
  }

  /** These records are durable elsewhere, and so is the report that went with them. */
  confirm(records: readonly BookedRecord[], { account, at }: AccountReport): void {
    this.#runs.deliver(records);
    this.#deliveredSequence = Math.max(this.#deliveredSequence, account.deliveredSequence);
    this.#dropped = behind(this.#dropped, account.dropped.at(-1)?.[1] ?? 0);
    this.#toldAt = at;
  }

  /** Takes up the books of a process that ended; then `see` every record that it left. */
  load({ upTo, dropped, runs }: LedgerState): void {
    this.#lastSequence = upTo;
    this.#dropped = dropped;
    this.#runs.load(runs);
    this.#loadedUpTo = upTo;
  }

  /** A record that was left. The books count those up to the number at which they were written down. */
  see({ sequence, run, isFirst }: BookedRecord, isDelivered: boolean): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    if (isDelivered) this.#deliveredSequence = Math.max(this.#deliveredSequence, sequence);
    if (isFirst) this.#runs.see(run, { isCounted: sequence <= this.#loadedUpTo, isDelivered });
  }

  /** The books as they are written down. The newest runs come first, where there is no room for all. */
  state(): LedgerState {
    return { upTo: this.#lastSequence, dropped: this.#dropped, runs: this.#runs.state() };
  }
}
