import { describe, expect, it } from 'vitest';
import { describeExit } from '../../src/commands/exit-report.ts';

describe('the report of a process that ends', () => {
  it.each([
    [null, 0, 'Ended; everything that was recorded is in the database.'],
    [{ finished: 0, left: 0 }, 0, 'Ended; everything that was recorded is in the database.'],
    [
      { finished: 3, left: 0 },
      0,
      'Steps under way that came to their end: 3.\nEnded; everything that was recorded is in the database.',
    ],
    [
      { finished: 3, left: 2 },
      0,
      'Steps under way that came to their end: 3. Steps that did not: 2. Nothing of them counts; the next worker does ' +
        'them again, within seconds where one runs.\nEnded; everything that was recorded is in the database.',
    ],
    [
      null,
      7,
      'Ended; 7 spans are lost, because the database did not take them. Look at why, and start again.',
    ],
  ])('says of the steps %j and of lost spans %i what was finished and what is left', (steps, lost, words) => {
    expect(describeExit({ steps, spans: { lost } })).toBe(words);
  });
});
