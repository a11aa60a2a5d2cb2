import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunAccount } from '#exporters/emitter-report';
import { Ledger, type BookedRecord, type LedgerState, type RunIdentity } from '#spool/books/ledger';
import { EMITTER } from '../support/spool-bench.ts';

const OWN = { isOwn: true, isClosed: false };
const run = (runId: number): RunIdentity => ({ validatorHotkey: '5Validator', runId });

type Fate = 'kept' | 'spool_full' | 'disk_full';
type Move =
  | { readonly kind: 'start'; readonly run: number | null; readonly fate: Fate }
  | { readonly kind: 'end'; readonly step: number; readonly fate: Fate }
  | { readonly kind: 'deliver'; readonly records: number }
  | { readonly kind: 'write' };

const fate = fc.constantFrom<Fate>('kept', 'kept', 'spool_full', 'disk_full');
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('start'), run: fc.constantFrom(1, 2, 3, null), fate }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end'), step: fc.nat(20), fate }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('deliver'), records: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write') }) },
);

interface Step {
  readonly run: RunIdentity | null;
  /** Its first stored record. */
  first: BookedRecord | null;
  /** Why there is none, when all its records were dropped. */
  lost: Fate | null;
  isOver: boolean;
}

/** Reference model: a ledger, and its expected counts step by step. */
class Model {
  readonly ledger = new Ledger(EMITTER);
  readonly steps: Step[] = [];
  readonly records: BookedRecord[] = [];
  readonly dropped = new Set<number>();
  delivered = 0;
  books: LedgerState = this.ledger.state();
  /** The newest exported account of each run, and the exported dropped numbers. */
  readonly reported = new Map<number, RunAccount>();
  readonly reportedDropped = new Set<number>();

  play(next: Move): void {
    if (next.kind === 'start') this.#start(next.run === null ? null : run(next.run), next.fate);
    else if (next.kind === 'end') this.#end(this.steps[next.step], next.fate);
    else if (next.kind === 'deliver') this.#deliver(next.records);
    else this.books = this.ledger.state();
  }

  /** The expected account of each run. */
  get expected(): readonly RunAccount[] {
    const safe = new Set(this.records.slice(0, this.delivered));
    return [1, 2, 3].flatMap((runId) => {
      const steps = this.steps.filter((step) => step.run?.runId === runId);
      const dropped: Record<string, number> = {};
      for (const { lost } of steps) if (lost !== null) dropped[lost] = (dropped[lost] ?? 0) + 1;
      const spooled = steps.filter(({ first }) => first !== null && !safe.has(first)).length;
      return steps.length === 0 ? [] : [{ ...run(runId), started: steps.length, spooled, dropped }];
    });
  }

  /** The ledger of an adopter if the process died now. */
  recover(): Ledger {
    const successor = new Ledger(EMITTER);
    successor.load(this.books);
    this.records.forEach((record, index) => successor.replayRecord(record, index < this.delivered));
    return successor;
  }

  #start(key: RunIdentity | null, startFate: Fate): void {
    this.ledger.start(key);
    const step: Step = { run: key, first: null, lost: null, isOver: false };
    this.steps.push(step);
    this.#record(step, startFate, true);
  }

  #end(step: Step | undefined, endFate: Fate): void {
    if (step === undefined || step.isOver) return;
    step.isOver = true;
    this.#record(step, endFate, step.first === null);
  }

  #record(step: Step, recordFate: Fate, isFirst: boolean): void {
    const record = { sequence: this.ledger.nextSequence(), run: step.run, isFirst };
    const isNew = step.first === null && step.lost === null;
    if (recordFate !== 'kept') {
      this.ledger.drop(record.sequence, recordFate, isNew ? step.run : null);
      this.dropped.add(record.sequence);
      if (isNew) step.lost = recordFate;
      this.books = this.ledger.state();
      return;
    }
    this.records.push(record);
    if (step.lost !== null) {
      this.ledger.recover(step.lost, step.run);
      this.books = this.ledger.state();
    }
    if (isFirst) [step.first, step.lost] = [record, null];
  }

  #deliver(count: number): void {
    const batch = this.records.slice(this.delivered, this.delivered + count);
    const isLast = this.delivered + batch.length === this.records.length;
    const versioned = this.ledger.account(batch, { from: 0, to: batch.length, isLast }, OWN);
    this.delivered += batch.length;
    for (const account of versioned.account.runs) this.reported.set(account.runId, account);
    for (const [from, to] of versioned.account.dropped)
      for (let sequence = from; sequence <= to; sequence += 1) this.reportedDropped.add(sequence);
    this.ledger.confirm(batch, versioned);
  }
}

const everything = (ledger: Ledger) => ledger.account([], { from: 0, to: 0, isLast: false }, OWN).account;
const byRun = (runs: readonly RunAccount[]): RunAccount[] => runs.toSorted((a, b) => a.runId - b.runId);

describe('Ledger', () => {
  it('started = delivered + spooled + dropped holds for each run in any order of events', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const model = new Model();
        for (const next of moves) {
          model.play(next);
          if (next.kind !== 'deliver') continue;
          expect(byRun([...model.reported.values()]), 'every change was reported').toEqual(model.expected);
          expect([...model.reportedDropped].toSorted((a, b) => a - b)).toEqual([...model.dropped]);
        }
      }),
      { numRuns: 300, seed: 20261127 },
    );
  });

  it('an adopter recovers the same counts from the books and the records after a crash', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const model = new Model();
        for (const next of moves) model.play(next);
        const account = everything(model.recover());
        expect(byRun(account.runs)).toEqual(model.expected);
        expect(account.lastSequence).toBe(
          Math.max(0, ...model.records.map(({ sequence }) => sequence), ...model.dropped),
        );
      }),
      { numRuns: 300, seed: 20261127 },
    );
  });

  it('an adopter that crashes before it delivers leaves the same counts', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const model = new Model();
        for (const next of moves) model.play(next);
        model.books = model.recover().state();
        expect(byRun(everything(model.recover()).runs)).toEqual(model.expected);
      }),
      { numRuns: 100, seed: 20261127 },
    );
  });
});

describe('Ledger.account', () => {
  const records = [1, 2, 3, 4].map((sequence) => ({ sequence, run: run(1), isFirst: true }));
  function filled(): Ledger {
    const ledger = new Ledger(EMITTER);
    for (const record of records) {
      ledger.start(record.run);
      ledger.nextSequence();
    }
    return ledger;
  }

  it('the account of a part of a batch holds once that part is committed', () => {
    const accountOf = (from: number, to: number) =>
      filled().account(records, { from, to, isLast: to === 4 }, OWN).account;
    expect(accountOf(0, 2)).toMatchObject({
      received: [[1, 2]],
      deliveredSequence: 2,
      runs: [{ spooled: 2 }],
    });
    expect(accountOf(2, 4)).toMatchObject({
      received: [[3, 4]],
      deliveredSequence: 4,
      runs: [{ spooled: 0 }],
    });
  });

  it('the account of the last records covers dropped numbers', () => {
    const ledger = filled();
    ledger.drop(ledger.nextSequence(), 'spool_full', run(1));
    const { account } = ledger.account(records, { from: 0, to: 4, isLast: true }, OWN);
    expect(account).toMatchObject({ deliveredSequence: 5, lastSequence: 5, dropped: [[5, 5]] });
  });

  it('a change is reported until it is confirmed, and then no more', () => {
    const ledger = filled();
    const slice = { from: 0, to: 4, isLast: true };
    const first = ledger.account(records, slice, OWN);
    expect(ledger.account(records, slice, OWN)).toEqual(first);
    ledger.confirm(records, first);
    expect(everything(ledger).runs).toEqual([]);
  });

  it('a step without a run is not counted, but its record is', () => {
    const ledger = new Ledger(EMITTER);
    ledger.start(null);
    ledger.drop(ledger.nextSequence(), 'spool_full', null);
    expect(everything(ledger)).toMatchObject({ lastSequence: 1, dropped: [[1, 1]], runs: [] });
  });
});
