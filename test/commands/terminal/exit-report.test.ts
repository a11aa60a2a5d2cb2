import { describe, expect, it } from 'vitest';
import { describeExit, type SpansAtEnd } from '#commands/terminal/exit-report';

const NOTHING_LEFT: SpansAtEnd = { lost: 0, waiting: 0, openSteps: 0, directory: '/data/spool/a' };
const ALL_IN = 'Ended; everything that was recorded is in the database.';

describe('the report of a process that ends', () => {
  it.each([
    [null, ALL_IN],
    [{ finished: 0, left: 0 }, ALL_IN],
    [{ finished: 3, left: 0 }, `Steps under way that came to their end: 3.\n${ALL_IN}`],
    [
      { finished: 3, left: 2 },
      'Steps under way that came to their end: 3. Steps that did not: 2. They are recorded as abandoned, and the next ' +
        `worker does them again, within seconds where one runs.\n${ALL_IN}`,
    ],
  ])(
    'the report of a process that ends says of the steps %j what was finished and what is left',
    (steps, words) => {
      expect(describeExit({ steps, spans: NOTHING_LEFT })).toBe(words);
    },
  );

  it.each([
    [
      { waiting: 7 },
      'Ended; 7 records wait for the database in /data/spool/a. The next start takes care of them.',
    ],
    [
      { waiting: 7, openSteps: 2 },
      'Ended; 7 records wait for the database in /data/spool/a, and 2 steps that did not end. ' +
        'The next start takes care of them.',
    ],
    [{ lost: 3 }, `${ALL_IN} 3 records were dropped: see run_completeness.`],
  ])('the report of a process that ends says of the records %j where they are', (left, words) => {
    expect(describeExit({ steps: null, spans: { ...NOTHING_LEFT, ...left } })).toBe(words);
  });
});
