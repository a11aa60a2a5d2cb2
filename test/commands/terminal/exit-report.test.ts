import { describe, expect, it } from 'vitest';
import { describeAdoption, describeExit, type SpansAtEnd } from '#commands/terminal/exit-report';

const NOTHING_LEFT: SpansAtEnd = { lost: 0, waiting: 0, openSteps: 0, directory: '/data/spool/a' };
const ALL_IN = 'Ended; everything that was recorded is in the database.';

describe('describeExit', () => {
  it.each([
    [null, ALL_IN],
    [{ finished: 0, left: 0 }, ALL_IN],
    [{ finished: 3, left: 0 }, `Running steps that finished: 3.\n${ALL_IN}`],
    [
      { finished: 3, left: 2 },
      'Running steps that finished: 3. Running steps that did not: 2.\n' +
        `They are recorded as abandoned, and the next worker repeats them.\n${ALL_IN}`,
    ],
  ])('the exit report of the steps %j counts the finished and the abandoned ones', (steps, text) => {
    expect(describeExit({ steps, spans: NOTHING_LEFT })).toBe(text);
  });

  it.each([
    [
      { waiting: 7 },
      'Ended; 7 records wait for the database.\nThe next start delivers the spool /data/spool/a',
    ],
    [
      { waiting: 7, openSteps: 2 },
      'Ended; 7 records wait for the database, and 2 steps did not end.\n' +
        'The next start delivers the spool /data/spool/a',
    ],
    [{ lost: 3 }, `${ALL_IN}\n3 records were dropped: see run_completeness.`],
  ])('the exit report of the records %j names the place of each', (left, text) => {
    expect(describeExit({ steps: null, spans: { ...NOTHING_LEFT, ...left } })).toBe(text);
  });
});

describe('describeAdoption', () => {
  it('an adoption is reported with the number of spools, records and abandoned steps', () => {
    expect(describeAdoption({ spools: 1, records: 17, closedSteps: 6 })).toBe(
      'Adopted 1 spool of ended processes: 17 records were delivered.\n' +
        '6 steps that had not ended are recorded as abandoned.',
    );
  });

  it('an adoption of spools whose steps had all ended is reported without steps', () => {
    expect(describeAdoption({ spools: 2, records: 1, closedSteps: 0 })).toBe(
      'Adopted 2 spools of ended processes: 1 record was delivered.',
    );
  });
});
