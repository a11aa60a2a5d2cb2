import { describe, expect, it } from 'vitest';
import { describeAdoption } from '#commands/terminal/exit-report';

describe('what was taken over, in words', () => {
  it('what was taken over, in words is how many spools, how many records, and how many steps were closed', () => {
    expect(describeAdoption({ spools: 1, records: 17, closedSteps: 6 })).toBe(
      'Took up 1 spool that processes had left behind: 17 records were delivered. ' +
        '6 steps that had not ended are recorded as abandoned.',
    );
  });

  it('what was taken over, in words says nothing of steps when all had ended', () => {
    expect(describeAdoption({ spools: 2, records: 1, closedSteps: 0 })).toBe(
      'Took up 2 spools that processes had left behind: 1 record was delivered.',
    );
  });
});
