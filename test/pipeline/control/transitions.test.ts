import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isTerminal,
  LEAD_STATES,
  LEAD_TRANSITIONS,
  MINER_STATES,
  MINER_TRANSITIONS,
  requireTransition,
  RUN_TRANSITIONS,
} from '#pipeline/control/transitions';
import { RUN_STATUSES, TERMINAL_RUN_STATUSES } from '#semconv';

const machines = [
  ['run', RUN_STATUSES, RUN_TRANSITIONS],
  ['miner', MINER_STATES, MINER_TRANSITIONS],
  ['lead', LEAD_STATES, LEAD_TRANSITIONS],
] as const;

/** States that can be reached from one, itself included. */
function reachable(
  transitions: Readonly<Record<string, readonly string[]>>,
  from: string,
): ReadonlySet<string> {
  const seen = new Set([from]);
  for (const state of seen) for (const next of transitions[state] ?? []) seen.add(next);
  return seen;
}

describe.each(machines)('transitions of a %s', (_name, states, transitions) => {
  const table: Readonly<Record<string, readonly string[]>> = transitions;

  it('every state has a row, and every transition leads to a known state', () => {
    expect(Object.keys(table).toSorted()).toEqual([...states].toSorted());
    for (const next of Object.values(table).flat()) expect(states).toContain(next);
  });

  it('every state has a path to a terminal state', () => {
    for (const state of states) {
      expect([...reachable(table, state)].some((one) => isTerminal(table, one))).toBe(true);
    }
  });

  it('no state is reached again after it was left, except between due and waiting for truth', () => {
    fc.assert(
      fc.property(fc.constantFrom(...states), fc.constantFrom(...states), (one, other) => {
        const circle = one !== other && reachable(table, one).has(other) && reachable(table, other).has(one);
        const waits = new Set(['due', 'waiting_for_truth']);
        expect(circle && !(waits.has(one) && waits.has(other))).toBe(false);
      }),
    );
  });
});

describe('transition tables', () => {
  it('the terminal states of a run are those of the vocabulary', () => {
    expect(RUN_STATUSES.filter((status) => isTerminal(RUN_TRANSITIONS, status))).toEqual(
      TERMINAL_RUN_STATUSES,
    );
  });

  it('an unknown transition is rejected with an error that names the allowed ones', () => {
    expect(() => requireTransition(MINER_TRANSITIONS, 'scoring', 'polling')).toThrow(
      'There is no transition from scoring to polling; allowed from scoring: scoring, completed, failed.',
    );
    expect(() => requireTransition(RUN_TRANSITIONS, 'completed', 'seeding')).toThrow(
      'allowed from completed: none',
    );
  });

  it('a transition of the table is accepted', () => {
    expect(() => requireTransition(LEAD_TRANSITIONS, 'waiting_for_truth', 'scored')).not.toThrow();
  });
});
