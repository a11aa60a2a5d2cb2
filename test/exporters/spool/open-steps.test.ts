import { describe, expect, it } from 'vitest';
import { OpenSteps, type OpenStep } from '../../../exporters/spool/open-steps.ts';
import { endedSpan, startOfSpan } from '../../support/spans.ts';

const startIn = (segment: number, sequence = 1): OpenStep => ({
  started: startOfSpan(endedSpan({ step: 'query' })),
  sequence,
  segment,
  refused: null,
});
const REFUSED: OpenStep = {
  started: startOfSpan(endedSpan({ step: 'query' })),
  sequence: 9,
  segment: null,
  refused: 'spool_full',
};

describe('the steps under way', () => {
  it('are known from their start to their end', () => {
    const open = new OpenSteps();
    open.set('a', startIn(1));
    expect([open.size, open.get('a')?.segment, open.get('b')]).toEqual([1, 1, undefined]);
    open.delete('a');
    expect([open.size, open.get('a')]).toEqual([0, undefined]);
  });

  it('can be closed only where a start was kept: of the others nobody outside ever heard', () => {
    const open = new OpenSteps();
    open.set('kept', startIn(1));
    open.set('refused', REFUSED);
    expect(open.kept().map(([key]) => key)).toEqual(['kept']);
  });

  it('that would go with a segment are those whose newest copy lies in it or before it', () => {
    const open = new OpenSteps();
    open.set('old', startIn(1, 1));
    open.set('there', startIn(2, 2));
    open.set('later', startIn(3, 3));
    open.set('refused', REFUSED);
    expect(open.startedUpTo(2).map(({ sequence }) => sequence)).toEqual([1, 2]);
    for (const step of open.startedUpTo(2)) step.segment = 4;
    expect(open.startedUpTo(2), 'they were written again').toEqual([]);
  });
});
