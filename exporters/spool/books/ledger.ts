import type { EmitterAccount, SequenceRanges } from '#exporters/emitter-report';
import type { DropReason } from '#processor/span-queue';
import { RunCounters, type BookedRecord, type RunIdentity, type RunState } from './run-counters.ts';
import { rangesAfter, toRanges, withSequence } from './sequence-ranges.ts';

export type { BookedRecord, RunIdentity } from './run-counters.ts';

/** The process whose records are numbered. */
export interface Emitter {
  readonly validatorHotkey: string;
  /** `service.instance.id`. */
  readonly instanceId: string;
  /** Start token: tells two processes with one id apart; absent from the books of earlier versions. */
  readonly epoch?: string | undefined;
  /** Its process makes no steps of its own; without a record it is in no book. */
  readonly isIdle?: boolean | undefined;
}

/** The persistent form of the books. */
export interface LedgerState {
  /** Checkpoint: records up to this number are included in the counts. */
  readonly upTo: number;
  readonly dropped: SequenceRanges;
  readonly runs: readonly RunState[];
}

/** An account with its version. */
export interface VersionedAccount {
  readonly account: EmitterAccount;
  /** The change count at which it was made. */
  readonly at: number;
}

/** The books of one emitter: its record numbers, and its steps by run (started, in flight, delivered, dropped). */
export class Ledger {
  readonly #emitter: Emitter;
  readonly #runs = new RunCounters();
  #lastSequence = 0;
  #deliveredSequence = 0;
  #dropped: SequenceRanges = [];
  #confirmedAt = 0;
  #loadedUpTo = 0;

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  /** With the start token. */
  get emitter(): Emitter {
    return this.#emitter;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Every record up to this number is known to be delivered. */
  get deliveredSequence(): number {
    return this.#deliveredSequence;
  }

  /** Allocates the number of a new record. */
  nextSequence(): number {
    this.#lastSequence += 1;
    return this.#lastSequence;
  }

  /** How many runs are counted. */
  get runs(): number {
    return this.#runs.size;
  }

  /** Counts a started step. */
  start(run: RunIdentity | null): void {
    this.#runs.start(run);
  }

  /** Counts a dropped record. @param run the run whose step is lost with it; null while another record of the step is left */
  drop(sequence: number, reason: string, run: RunIdentity | null): void {
    this.#dropped = withSequence(this.#dropped, sequence);
    this.#runs.drop(run, reason, 1);
  }

  /** Takes back the drop of a step whose start was dropped and whose end was written. */
  recover(reason: string, run: RunIdentity | null): void {
    this.#runs.drop(run, reason, -1);
  }

  /** Writes off the records behind the watermark that can be read nowhere any more. @returns their number */
  writeOff(readable: readonly BookedRecord[], reason: DropReason): number {
    const lost = this.#unread(readable);
    this.#dropped = toRanges([...this.#droppedNumbers(), ...lost].sort((a, b) => a - b));
    this.#runs.writeOff(readable, reason);
    return lost.length;
  }

  /** Whether a record behind the watermark is neither among these nor dropped. */
  hasUnread(readable: readonly BookedRecord[]): boolean {
    return this.#unread(readable).length > 0;
  }

  #unread(readable: readonly BookedRecord[]): readonly number[] {
    const kept = new Set([...readable.map(({ sequence }) => sequence), ...this.#droppedNumbers()]);
    const behind = numbersOf(this.#deliveredSequence + 1, this.#lastSequence);
    return behind.filter((sequence) => !kept.has(sequence));
  }

  #droppedNumbers(): readonly number[] {
    return this.#dropped.flatMap(([from, to]) => numbersOf(from, to));
  }

  /**
   * The account to commit with the records from `from` to `to` (excluded); it holds once all before `to` are committed.
   *
   * @param slice `isLast` tells that no record is queued behind them, which moves the watermark to the newest number
   */
  account(
    records: readonly BookedRecord[],
    slice: { readonly from: number; readonly to: number; readonly isLast: boolean },
    state: Pick<EmitterAccount, 'isOwn' | 'isClosed'>,
  ): VersionedAccount {
    const { from, to, isLast } = slice;
    const account: EmitterAccount = {
      ...this.#emitter,
      received: toRanges(records.slice(from, to).map(({ sequence }) => sequence)),
      dropped: this.#dropped,
      lastSequence: this.#lastSequence,
      deliveredSequence: isLast ? this.#lastSequence : (records[to - 1]?.sequence ?? this.#deliveredSequence),
      runs: this.#runs.accounts(records.slice(0, to), this.#confirmedAt),
      ...state,
    };
    return { account, at: this.#runs.changes };
  }

  /** Advances the books after a commit: the records are delivered, and the account with them is known to the database. */
  confirm(records: readonly BookedRecord[], { account, at }: VersionedAccount): void {
    this.#runs.deliver(records);
    this.#deliveredSequence = Math.max(this.#deliveredSequence, account.deliveredSequence);
    this.#dropped = rangesAfter(this.#dropped, account.dropped.at(-1)?.[1] ?? 0);
    this.#confirmedAt = at;
  }

  /** Restores the checkpoint of a dead process; `replayRecord` then has to be called for every record on disk. */
  load({ upTo, dropped, runs }: LedgerState): void {
    this.#lastSequence = upTo;
    this.#dropped = dropped;
    this.#runs.load(runs);
    this.#loadedUpTo = upTo;
  }

  /** Allocates all numbers up to one that is known to have been used; those without a record stay missing. */
  advanceTo(sequence: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
  }

  /** Replays a record from disk. Those up to the checkpoint are in the counts already. */
  replayRecord({ sequence, run, isFirst }: BookedRecord, isDelivered: boolean): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    if (isDelivered) this.#deliveredSequence = Math.max(this.#deliveredSequence, sequence);
    if (isFirst) this.#runs.replayFirst(run, { isCounted: sequence <= this.#loadedUpTo, isDelivered });
  }

  /** The persistent form; the newest runs come first, because the oldest are left out when the file is full. */
  state(): LedgerState {
    return { upTo: this.#lastSequence, dropped: this.#dropped, runs: this.#runs.state() };
  }
}

const numbersOf = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
