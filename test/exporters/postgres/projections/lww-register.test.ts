import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byFamily,
  compareTimestamps,
  draftOf,
  emptyFold,
  endOf,
  foldText,
  logicalTimestampOf,
  newestOf,
  setLww,
  setFirst,
  startOf,
  type Fold,
  type LogicalTimestamp,
} from '#postgres/projections/lww-register';
import { endedFact, runningFact } from '#test/support/facts';

interface Values {
  stage: string;
  score: number | null;
}
interface Origins {
  trace: string;
}
type TestFold = Fold<Values, Origins>;

interface Event {
  readonly at: LogicalTimestamp;
  readonly newest: { readonly stage?: string | undefined; readonly score?: number | null | undefined };
  readonly oldest: { readonly trace?: string | undefined };
}

const timestamp: fc.Arbitrary<LogicalTimestamp> = fc.tuple(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(0 as const, 1 as const),
  fc.integer({ min: 1, max: 2 }),
  fc.constantFrom('a', 'b', 'c'),
);
/** One event per timestamp: two different events never compare equal. */
const events: fc.Arbitrary<readonly Event[]> = fc.uniqueArray(
  fc.record({
    at: timestamp,
    newest: fc.record(
      { stage: fc.constantFrom('init', 'complete', undefined), score: fc.constantFrom(0, 1, null) },
      { requiredKeys: [] },
    ),
    oldest: fc.record({ trace: fc.constantFrom('x', 'y') }, { requiredKeys: [] }),
  }),
  { selector: ({ at }) => at.join(), maxLength: 12 },
);

function foldAll(writes: readonly Event[], from: TestFold = emptyFold): TestFold {
  const draft = draftOf(from);
  for (const { at, newest, oldest } of writes) {
    setLww<Values>(draft, at, newest);
    setFirst<Origins>(draft, at, oldest);
  }
  return draft;
}

const withOrder = events.chain((writes) =>
  fc.tuple(
    fc.constant(writes),
    fc.shuffledSubarray([...writes], { minLength: writes.length, maxLength: writes.length }),
  ),
);

describe('fold of last-writer-wins registers', () => {
  it('a fold does not depend on the order of events (commutative, associative)', () => {
    fc.assert(
      fc.property(withOrder, ([writes, shuffled]) => {
        expect(foldAll(shuffled)).toEqual(foldAll(writes));
      }),
      { seed: 1 },
    );
  });

  it('a fold does not depend on repeated events (idempotent), and its input stays unchanged', () => {
    fc.assert(
      fc.property(withOrder, ([writes, again]) => {
        const once = foldAll(writes);
        const before = foldText(once);
        expect(foldText(foldAll(again, once))).toBe(before);
        expect(foldText(once)).toBe(before);
      }),
      { seed: 2 },
    );
  });

  it('a fold does not depend on the split of events into batches', () => {
    fc.assert(
      fc.property(events, fc.nat(12), (writes, cut) => {
        const [one, two] = [writes.slice(0, cut), writes.slice(cut)];
        expect(foldAll(two, foldAll(one))).toEqual(foldAll(one, foldAll(two)));
      }),
      { seed: 3 },
    );
  });

  it('the newest write of each value and the oldest write of each origin win', () => {
    fc.assert(
      fc.property(events, (writes) => {
        const sorted = [...writes].sort((a, b) => compareTimestamps(a.at, b.at));
        const fold = foldAll(writes);
        const stage = sorted.findLast(({ newest }) => newest.stage !== undefined);
        const trace = sorted.find(({ oldest }) => oldest.trace !== undefined);
        expect(fold.newest.stage).toEqual(stage && { at: stage.at, value: stage.newest.stage });
        expect(fold.oldest.trace).toEqual(trace && { at: trace.at, value: trace.oldest.trace });
      }),
      { seed: 4 },
    );
  });

  it('null is a value and undefined is ignored', () => {
    const scored = (...scores: readonly (number | null | undefined)[]) =>
      foldAll(scores.map((score, index) => ({ at: [index, 1, 1, 'a'], newest: { score }, oldest: {} })));
    expect(scored(0.5, undefined).newest.score?.value).toBe(0.5);
    expect(scored(0.5, null).newest.score?.value).toBeNull();
  });

  it('a fold round-trips as canonical JSON', () => {
    fc.assert(
      fc.property(withOrder, ([writes, shuffled]) => {
        expect(foldText(foldAll(shuffled))).toBe(foldText(foldAll(writes)));
        expect(JSON.parse(foldText(foldAll(writes)))).toEqual(foldAll(writes));
      }),
      { seed: 5 },
    );
  });
});

describe('compareTimestamps', () => {
  it('timestamps are ordered by time, then end over start, then attempt, then span', () => {
    const ordered: LogicalTimestamp[] = [
      [1, 1, 9, 'z'],
      [2, 0, 1, 'a'],
      [2, 0, 2, 'a'],
      [2, 1, 1, 'a'],
      [2, 1, 1, 'b'],
    ];
    expect([...ordered].reverse().sort(compareTimestamps)).toEqual(ordered);
  });

  it('the order of timestamps is total', () => {
    fc.assert(
      fc.property(timestamp, timestamp, timestamp, (a, b, c) => {
        expect(Math.sign(compareTimestamps(a, b))).toBe(0 - Math.sign(compareTimestamps(b, a)));
        expect(compareTimestamps(a, b) === 0).toBe(a.join() === b.join());
        if (compareTimestamps(a, b) <= 0 && compareTimestamps(b, c) <= 0)
          expect(compareTimestamps(a, c)).toBeLessThanOrEqual(0);
      }),
      { seed: 5 },
    );
  });
});

describe('logical timestamps of a fact', () => {
  it('the timestamp is the start of a running fact and the end of an ended one', () => {
    const options = { step: 'query', attempt: 2, at: 10, durationMs: 5 } as const;
    const [running, ended] = [runningFact(options), endedFact(options)];
    expect(logicalTimestampOf(running)).toEqual(startOf(ended));
    expect(logicalTimestampOf(ended)).toEqual(endOf(ended));
    expect(endOf(ended)[0] - startOf(ended)[0]).toBe(5000);
    expect(compareTimestamps(endOf(ended), startOf(ended))).toBeGreaterThan(0);
  });

  it('the end of a step without duration is later than its start', () => {
    const fact = endedFact({ step: 'query', durationMs: 0 });
    expect(compareTimestamps(endOf(fact), startOf(fact))).toBeGreaterThan(0);
  });
});

describe('register families', () => {
  it('registers are grouped by the name before the last colon, sorted by name', () => {
    const at: LogicalTimestamp = [0, 0, 1, 'a'];
    const map = {
      'lead:48': { at, value: 2 },
      'lead:24': { at, value: 1 },
      stage: { at, value: 'init' },
      'slot:query': { at, value: 3 },
      'slot:era5:24': { at, value: 4 },
    };
    expect(byFamily(map)).toEqual({
      lead: [
        { at, value: 1 },
        { at, value: 2 },
      ],
      slot: [{ at, value: 3 }],
      'slot:era5': [{ at, value: 4 }],
    });
  });

  it('newestOf returns the newest register, or null without any', () => {
    const of = (time: number, value: number) => ({ at: [time, 1, 1, 'a'] as LogicalTimestamp, value });
    expect(newestOf([of(2, 0.5), undefined, of(3, 0.25)])?.value).toBe(0.25);
    expect(newestOf([undefined])).toBeNull();
  });
});
